-- Views in readable form, with names instead of ids and formatted times. The columns with ids and epoch seconds
-- remain beside them, for joins and arithmetic.

-- Conversations with author and assignees.
CREATE VIEW inbox AS
SELECT c.id,
       coalesce(c.title, nullif(t.title, '')) AS title,
       c.state,
       c.priority,
       team.name AS team,
       admin.name AS assignee,
       coalesce(contact.name, contact.email, c.raw ->> '$.source.author.name', c.raw ->> '$.source.author.email')
           AS started_by,
       c.source_author_type AS started_by_type,
       c.source_type AS channel,
       t.body AS opening_message,
       (SELECT group_concat(tag.name, ', ') FROM conversation_tags AS link JOIN tags AS tag ON tag.id = link.tag_id
         WHERE link.conversation_id = c.id) AS tags,
       c.parts_count AS parts,
       c.rating,
       datetime(c.created_at, 'unixepoch') AS created,
       datetime(c.updated_at, 'unixepoch') AS updated,
       datetime(c.waiting_since, 'unixepoch') AS waiting_since,
       c.created_at,
       c.updated_at,
       c.team_assignee_id,
       c.admin_assignee_id,
       c.source_author_id AS started_by_id
FROM conversations AS c
LEFT JOIN texts AS t ON t.resource = 'conversations' AND t.record_id = c.id
LEFT JOIN teams AS team ON team.id = c.team_assignee_id
LEFT JOIN admins AS admin ON admin.id = c.admin_assignee_id
LEFT JOIN contacts AS contact ON contact.id = c.source_author_id;

-- Parts of conversations with author and text.
CREATE VIEW messages AS
SELECT p.id,
       p.conversation_id,
       p.part_type,
       coalesce(admin.name, contact.name, contact.email, p.raw ->> '$.author.name', p.raw ->> '$.author.email')
           AS author,
       p.author_type,
       p.from_ai_agent,
       t.body AS text,
       coalesce(assigned_admin.name, assigned_team.name) AS assigned_to,
       datetime(p.created_at, 'unixepoch') AS created,
       p.created_at,
       p.author_id
FROM conversation_parts AS p
LEFT JOIN texts AS t ON t.resource = 'conversation_parts' AND t.record_id = p.id
LEFT JOIN admins AS admin ON p.author_type = 'admin' AND admin.id = p.author_id
LEFT JOIN contacts AS contact ON contact.id = p.author_id
LEFT JOIN admins AS assigned_admin ON p.assigned_type = 'admin' AND assigned_admin.id = p.assigned_id
LEFT JOIN teams AS assigned_team ON p.assigned_type = 'team' AND assigned_team.id = p.assigned_id;
