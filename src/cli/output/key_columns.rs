//! The columns of a table of records: what a person looks for first, under short titles.
//!
//! A column takes the first of several fields that has a value: a conversation without a title shows its subject,
//! else its first words. Times come last in a row, although they are worth more than some columns before them. Only
//! tables use these columns; programs get the fields that `compact` declares.

use serde_json::Value;

use super::compact;
use super::names::{self, Names};
use super::table::Heading;
use super::{cell, select};
use crate::html::plain::excerpt;
use crate::mirror::ResourceName;

/// The columns of each record type, most useful first: `title=field|other.field`, or a field that is its own title.
/// Those before the bar are shown even if texts become narrow.
static TABLES: &[(&str, &str)] = &[
    (
        "activity_log",
        "activity=activity_description|activity_type by=performed_by.email|performed_by.id at=created_at | kind=activity_type id",
    ),
    ("admin", "id name email job=job_title | away=away_mode_enabled inbox_seat=has_inbox_seat"),
    (
        "article",
        "id title state updated=updated_at | author=author_id collection=parent_id|parent_ids locale=default_locale created=created_at url",
    ),
    (
        "article_version",
        "id title state by=created_by_id created=created_at | author=author_id via=created_via from=from_version_id",
    ),
    ("audience", "id name updated=updated_at | created=created_at"),
    ("banner", "id title view_id shown=created_at | style position"),
    (
        "collection",
        "id name updated=updated_at | parent=parent_id locale=default_locale order url created=created_at",
    ),
    ("away_status_reason", "id label emoji deleted | order updated=updated_at"),
    ("brand", "id name is_default | address=default_address_settings_id help_center=help_center_id"),
    (
        "company",
        "id name plan=plan.name users=user_count last_seen=last_request_at | company_id monthly_spend industry size sessions=session_count updated=updated_at created=created_at",
    ),
    (
        "call",
        "id state direction admin=admin_id contact=contact_id started=initiated_at|created_at | phone kind=call_type ended=ended_at conversation_id",
    ),
    (
        "contact",
        "id name email role last_seen=last_seen_at|last_request_at | phone owner=owner_id updated=updated_at created=created_at external_id last_replied=last_replied_at last_contacted=last_contacted_at signed_up=signed_up_at",
    ),
    (
        "content_snippet",
        "id title fin=ai_chatbot_availability copilot=ai_copilot_availability updated=updated_at | sales=ai_sales_agent_availability locale created=created_at",
    ),
    (
        "conversation",
        "id from=source.author.name|source.author.email|source.author.id state title=title|source.subject|source.body updated=updated_at assignee=admin_assignee_id|team_assignee_id | team=team_assignee_id waiting=waiting_since email=source.author.email priority channel=source.type snoozed=snoozed_until created=created_at read metrics_kept=metrics_retained deleted=deleted_at",
    ),
    (
        "conversation_attribute",
        "id name kind=data_type required archived | description updated=updated_at created=created_at",
    ),
    (
        "conversation_part",
        "id author=author.name|author.email|author.id kind=part_type body created=created_at | updated=updated_at",
    ),
    (
        "data_attribute",
        "name=full_name|name label model kind=data_type | custom archived id updated=updated_at created=created_at",
    ),
    (
        "data_connector",
        "id name state method=http_method updated=updated_at | fin=direct_fin_usage created=created_at",
    ),
    (
        "data_connector.execution",
        "id success status=http_status error=error_type at=created_at | ms=execution_time_ms source=source_type conversation_id",
    ),
    ("email_setting", "id email verified forwarding=forwarding_enabled | brand=brand_id domain"),
    ("event", "event_name created=created_at | email user_id metadata id"),
    (
        "help_center",
        "id name=display_name identifier | website_turned_on updated=updated_at created=created_at",
    ),
    (
        "help_center_redirect",
        "id from=from_url target=target_type target_id locale | updated=updated_at created=created_at",
    ),
    (
        "internal_article",
        "id title updated=updated_at | owner=owner_id author=author_id locale created=created_at",
    ),
    ("macro", "id name visible=visible_to updated=updated_at | available=available_on created=created_at"),
    ("merge_history", "contact=source_contact_id role=source_contact_role merged=merged_at"),
    ("news-item", "id title state updated=updated_at | sender=sender_id created=created_at"),
    ("newsfeed", "id name updated=updated_at | created=created_at"),
    ("note", "id author=author.name|author.id body created=created_at | contact=contact.id"),
    (
        "office_hours_exception",
        "id date=exception_date kind=exception_type name annual=recurring_annually | updated=updated_at",
    ),
    (
        "office_hours_schedule",
        "id name zone=time_zone_name always=twenty_four_seven | updated=updated_at created=created_at",
    ),
    ("segment", "id name kind=person_type count updated=updated_at | created=created_at"),
    ("subscription", "id name=default_translation.name state consent=consent_type"),
    ("tag", "id name applied=applied_at"),
    ("team", "id name"),
    ("team_metric", "admin=admin_id open idle snoozed"),
    (
        "ticket",
        "id title=ticket_attributes._default_title_ state=ticket_state.internal_label|ticket_state.category ticket_type=ticket_type.name updated=updated_at assignee=admin_assignee_id|team_assignee_id | number=ticket_id team=team_assignee_id category snoozed=snoozed_until created=created_at",
    ),
    ("ticket_state", "id label=internal_label category | external=external_label archived"),
    ("ticket_type", "id name category updated=updated_at | is_internal archived created=created_at"),
];

/// Fields by which records without a type are recognized.
const KIND_BY_FIELD: [(&str, &str); 3] = [
    ("activity_type", "activity_log"),
    ("website_turned_on", "help_center"),
    ("help_center_id", "collection"),
];

/// Characters of a text that a table shows.
const EXCERPT_CHARS: usize = 280;

#[derive(Debug)]
struct KeyColumn {
    heading: Heading,
    /// The fields, as dotted paths in segments, of which the first with a value is shown.
    paths: Vec<Vec<String>>,
}

/// The columns of one table.
#[derive(Debug)]
pub struct KeyColumns(Vec<KeyColumn>);

/// A cell, and the resource that it is an id of.
pub struct KeyCell {
    pub value: Value,
    pub owner: Option<ResourceName>,
    /// Whether another field replaces the one that the title names.
    is_substitute: bool,
}

impl KeyCell {
    /// The cell with the name of the record that it is an id of. A team in place of a teammate says so.
    pub fn named(self, names: &mut Names) -> Value {
        let name = self.owner.and_then(|owner| names.of(owner, &self.value));
        match name {
            Some(name) if self.is_substitute && self.owner == Some(ResourceName::Teams) => {
                format!("{name} (team)").into()
            }
            Some(name) => name.into(),
            None => self.value,
        }
    }
}

impl KeyColumns {
    /// The columns for these records: the declared ones of their type, else their key fields.
    pub fn of(records: &[Value]) -> Self {
        let kinds = records.iter().map(kind);
        let mut kinds = kinds.collect::<Vec<_>>();
        kinds.dedup();
        let declared = match kinds.as_slice() {
            [Some(kind)] => TABLES.iter().find(|(name, _)| name == kind).map(|(_, columns)| *columns),
            _ => None,
        };
        let mut columns = match declared {
            Some(declared) => parse(declared),
            None => undeclared(records),
        };
        // Stable, so that columns and times keep their order among themselves.
        columns.sort_by_key(|column| cell::is_time(&column.heading.field));
        KeyColumns(columns)
    }

    pub fn headings(&self) -> Vec<Heading> {
        self.0.iter().map(|column| column.heading.clone()).collect()
    }

    /// The cells of a record.
    pub fn cells(&self, record: &Value) -> Vec<KeyCell> {
        self.0.iter().map(|column| column.cell(record)).collect()
    }

    /// The core texts of a record in one line, for example `Ann Meyer · open · Refund`.
    pub fn line(&self, record: &Value, names: &mut Names) -> String {
        let core = self.0.iter().filter(|column| {
            let field = &column.heading.field;
            column.heading.is_core && field != "id" && !cell::is_time(field)
        });
        let texts = core.map(|column| cell::text(&column.cell(record).named(names)));
        texts.filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ")
    }
}

impl KeyColumn {
    fn cell(&self, record: &Value) -> KeyCell {
        let values = self.paths.iter().enumerate().map(|(at, path)| (at, path, value_at(record, path)));
        let found = values.into_iter().find(|(_, path, value)| !is_missing(path, value));
        match found {
            Some((at, path, value)) => {
                KeyCell { value, owner: names::owner(path, record), is_substitute: at > 0 }
            }
            None => KeyCell { value: Value::Null, owner: None, is_substitute: false },
        }
    }
}

/// The declared type of a record.
fn kind(record: &Value) -> Option<&str> {
    let typed = record["type"].as_str().map(compact::canonical_kind);
    typed.or_else(|| {
        let recognized = KIND_BY_FIELD.iter().find(|(field, _)| record.get(*field).is_some());
        recognized.map(|(_, kind)| *kind)
    })
}

/// The value at a path; texts that may have markup as plain text.
fn value_at(record: &Value, path: &[String]) -> Value {
    let value = select::value_at(record, path).unwrap_or_default();
    let name = path.last().map_or("", String::as_str);
    match &value {
        Value::String(text) if ["body", "subject", "title"].contains(&name) => {
            excerpt(text, EXCERPT_CHARS).trim().into()
        }
        // An article is in the first of its collections, which encloses it directly.
        Value::Array(ids) if name == "parent_ids" => ids.first().cloned().unwrap_or_default(),
        _ => value,
    }
}

/// Whether a field says nothing. The API writes 0 for nobody.
fn is_missing(path: &[String], value: &Value) -> bool {
    let is_id = path.last().is_some_and(|name| name.ends_with("_id"));
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty() || (is_id && text == "0"),
        Value::Number(number) => is_id && number.as_u64() == Some(0),
        Value::Array(members) => members.is_empty(),
        _ => false,
    }
}

fn parse(declared: &str) -> Vec<KeyColumn> {
    // Alternatives have a bar without spaces.
    let (core, others) = declared.split_once(" | ").unwrap_or((declared, ""));
    let core = core.split_whitespace().map(|column| (column, true));
    let others = others.split_whitespace().map(|column| (column, false));
    let columns = core.chain(others).enumerate().map(|(rank, (column, is_core))| {
        let (title, fields) = column.split_once('=').unwrap_or((column, column));
        let paths: Vec<&str> = fields.split('|').collect();
        KeyColumn {
            heading: Heading {
                title: title.replace('_', " "),
                field: paths[0].to_owned(),
                rank,
                is_core,
                is_optional: rank > 0,
            },
            paths: paths.iter().map(|path| path.split('.').map(str::to_owned).collect()).collect(),
        }
    });
    columns.collect()
}

/// The key fields of records without declared columns.
fn undeclared(records: &[Value]) -> Vec<KeyColumn> {
    let fields = compact::columns(records, true).columns().into_iter().enumerate();
    let columns = fields.map(|(rank, field)| KeyColumn {
        paths: vec![field.split('.').map(str::to_owned).collect()],
        heading: Heading { is_optional: rank > 0, ..Heading::of_field(&field, rank) },
    });
    columns.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::names::NameLookup;
    use super::*;

    fn shown(record: &Value) -> Vec<(String, String)> {
        let lookup = NameLookup::new(|_, id| (id == "7").then(|| "Billing".to_owned()));
        let mut names = Names::new(&lookup);
        let columns = KeyColumns::of(std::slice::from_ref(record));
        let titles = columns.headings().into_iter().map(|heading| heading.title);
        let cells = columns.cells(record).into_iter().map(|cell| cell::text(&cell.named(&mut names)));
        titles.zip(cells.collect::<Vec<_>>()).filter(|(_, text)| !text.is_empty()).collect()
    }

    #[test]
    fn a_conversation_shows_who_wrote_what() {
        let conversation = json!({"type": "conversation.item", "id": "1", "title": null, "state": "open",
            "source": {"type": "email", "subject": "", "body": "<p>Where is my refund?</p>",
                "author": {"type": "user", "id": "c", "name": null, "email": "ann@example.com"}},
            "admin_assignee_id": 0, "team_assignee_id": "7", "updated_at": 1_760_000_000, "waiting_since": null});
        let expected = [
            ("id", "1"),
            ("from", "ann@example.com"),
            ("state", "open"),
            ("title", "Where is my refund?"),
            ("assignee", "Billing (team)"),
            ("team", "Billing"),
            ("email", "ann@example.com"),
            ("channel", "email"),
            ("updated", "1760000000"),
        ];
        assert_eq!(shown(&conversation), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let columns = KeyColumns::of(std::slice::from_ref(&conversation));
        let line = columns.line(&conversation, &mut Names::new(&NameLookup::default()));
        assert_eq!(line, "ann@example.com · open · Where is my refund? · 7");
    }

    #[test]
    fn other_records_show_their_key_fields_with_times_last() {
        let gadget =
            json!({"type": "gadget", "id": "1", "created_at": 1_760_000_000, "name": "x", "blob": {}});
        let titles: Vec<String> = shown(&gadget).into_iter().map(|(title, _)| title).collect();
        assert_eq!(titles, ["id", "name", "created_at"]);
    }

    #[test]
    fn records_without_a_type_are_recognized() {
        let collection =
            json!({"id": "1", "name": "Billing", "help_center_id": 1, "parent_id": "7", "order": 2});
        let shown = shown(&collection);
        assert_eq!(shown[2], ("parent".to_owned(), "Billing".to_owned()), "{shown:?}");
    }

    #[test]
    fn the_collection_of_an_article_is_shown_in_every_api_version() {
        for parent in [
            json!({"parent_id": 7, "parent_type": "collection", "parent_ids": [7, 3]}),
            json!({"parent_ids": [7, 3]}),
        ] {
            let mut article = json!({"type": "article", "id": "1", "title": "Export"});
            article.as_object_mut().unwrap().extend(parent.as_object().unwrap().clone());
            let cells = shown(&article);
            assert!(cells.contains(&("collection".to_owned(), "Billing".to_owned())), "{cells:?}");
        }
        let outside = shown(&json!({"type": "article", "id": "1", "title": "Export", "parent_ids": []}));
        assert!(outside.iter().all(|(title, _)| title != "collection"), "{outside:?}");
    }

    #[test]
    fn every_declared_table_begins_with_core_columns() {
        for (kind, declared) in TABLES {
            let columns = parse(declared);
            assert!(columns[0].heading.is_core && !columns[0].heading.is_optional, "{kind}");
            let ranks: Vec<usize> = columns.iter().map(|column| column.heading.rank).collect();
            assert_eq!(ranks, (0..columns.len()).collect::<Vec<_>>(), "{kind}");
            assert!(columns.iter().all(|column| !column.heading.field.contains('|')), "{kind}");
        }
    }
}
