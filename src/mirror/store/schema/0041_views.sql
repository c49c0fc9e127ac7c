-- The readable views, improved: people who are not mirrored are shown by id, and messages include the opening one.
-- Columns that end in `_at` or `_since` are epoch seconds as in the tables; `created`, `updated` and `waiting` are
-- the same times as text, in UTC.

DROP VIEW inbox;
-- Conversations with author and assignees.
CREATE VIEW inbox AS
SELECT c.id,
       coalesce(c.title, nullif(t.title, '')) AS title,
       c.state,
       c.priority,
       coalesce(nullif(team.name, ''), c.team_assignee_id) AS team,
       coalesce(nullif(admin.name, ''), c.admin_assignee_id) AS assignee,
       coalesce(contact.name, contact.email, c.raw ->> '$.source.author.name', c.raw ->> '$.source.author.email',
                c.source_author_id) AS started_by,
       c.source_author_type AS started_by_type,
       c.source_type AS channel,
       t.body AS opening_message,
       (SELECT group_concat(coalesce(tag.name, link.tag_id), ', ')
          FROM conversation_tags AS link LEFT JOIN tags AS tag ON tag.id = link.tag_id
         WHERE link.conversation_id = c.id) AS tags,
       c.parts_count AS parts,
       c.rating,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.created_at, 'unixepoch') AS created,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.updated_at, 'unixepoch') AS updated,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.waiting_since, 'unixepoch') AS waiting,
       c.created_at,
       c.updated_at,
       c.waiting_since,
       c.team_assignee_id,
       c.admin_assignee_id,
       c.source_author_id AS started_by_id
FROM conversations AS c
LEFT JOIN texts AS t ON t.resource = 'conversations' AND t.record_id = c.id
LEFT JOIN teams AS team ON team.id = c.team_assignee_id
LEFT JOIN admins AS admin ON admin.id = c.admin_assignee_id
LEFT JOIN contacts AS contact ON contact.id = c.source_author_id;

DROP VIEW messages;
-- Messages of conversations with author and text: the opening message (`part_type` is `opening`, no `id`) and the
-- parts.
CREATE VIEW messages AS
SELECT NULL AS id,
       c.id AS conversation_id,
       'opening' AS part_type,
       coalesce(admin.name, contact.name, contact.email, c.raw ->> '$.source.author.name',
                c.raw ->> '$.source.author.email', c.source_author_id) AS author,
       c.source_author_type AS author_type,
       c.source_written_by AS written_by,
       coalesce(c.raw ->> '$.source.author.from_ai_agent', 0) AS from_ai_agent,
       t.body AS text,
       NULL AS assigned_to,
       strftime('%Y-%m-%dT%H:%M:%SZ', c.created_at, 'unixepoch') AS created,
       c.created_at,
       c.source_author_id AS author_id
FROM conversations AS c
LEFT JOIN texts AS t ON t.resource = 'conversations' AND t.record_id = c.id
LEFT JOIN admins AS admin ON c.source_author_type = 'admin' AND admin.id = c.source_author_id
LEFT JOIN contacts AS contact ON contact.id = c.source_author_id
UNION ALL
SELECT p.id,
       p.conversation_id,
       p.part_type,
       coalesce(admin.name, contact.name, contact.email, p.raw ->> '$.author.name', p.raw ->> '$.author.email',
                p.author_id),
       p.author_type,
       p.written_by,
       p.from_ai_agent,
       t.body,
       coalesce(assigned_admin.name, assigned_team.name, p.assigned_id),
       strftime('%Y-%m-%dT%H:%M:%SZ', p.created_at, 'unixepoch'),
       p.created_at,
       p.author_id
FROM conversation_parts AS p
LEFT JOIN texts AS t ON t.resource = 'conversation_parts' AND t.record_id = p.id
LEFT JOIN admins AS admin ON p.author_type = 'admin' AND admin.id = p.author_id
LEFT JOIN contacts AS contact ON contact.id = p.author_id
LEFT JOIN admins AS assigned_admin ON p.assigned_type = 'admin' AND assigned_admin.id = p.assigned_id
LEFT JOIN teams AS assigned_team ON p.assigned_type = 'team' AND assigned_team.id = p.assigned_id;
