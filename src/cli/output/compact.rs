//! `--compact`: reduces records to the fields that identify them and give their state.
//!
//! The key fields of each record type are declared here. Records of other types keep the fields whose names look
//! like ids, names, states or times. Rows of reports are never reduced. The envelope of a list stays, because
//! agents need its cursor.

use serde_json::{Map, Value};

use super::select::{FieldSelection, MatchedPaths};
use crate::html::plain::excerpt;

/// The key fields of each record type, as dotted paths.
static KEY_FIELDS: &[(&str, &str)] = &[
    ("activity_log", "id,activity_type,activity_description,performed_by.id,performed_by.email,created_at"),
    ("admin", "type,id,name,email,job_title,away_mode_enabled,away_mode_reassign,has_inbox_seat,team_ids"),
    (
        "article",
        "type,id,title,state,author_id,parent_id,parent_type,parent_ids,default_locale,url,created_at,updated_at",
    ),
    (
        "article_version",
        "type,id,article_id,title,state,author_id,created_by_id,created_via,from_version_id,created_at",
    ),
    ("audience", "type,id,name,created_at,updated_at"),
    ("banner", "type,id,view_id,title,style,position,created_at"),
    (
        "call",
        "type,id,conversation_id,admin_id,contact_id,state,direction,call_type,phone,initiated_at,answered_at,ended_at,created_at",
    ),
    ("away_status_reason", "type,id,label,emoji,order,deleted"),
    ("brand", "type,id,name,is_default,help_center_id,default_address_settings_id"),
    ("collection", "type,id,name,parent_id,help_center_id,default_locale,order,url,created_at,updated_at"),
    (
        "company",
        "type,id,company_id,name,plan.name,user_count,session_count,monthly_spend,size,industry,created_at,updated_at,last_request_at",
    ),
    (
        "contact",
        "type,id,external_id,role,name,email,phone,owner_id,created_at,updated_at,signed_up_at,last_seen_at,last_replied_at,last_contacted_at",
    ),
    ("contact_reference", "type,id,external_id"),
    (
        "content_snippet",
        "type,id,title,locale,ai_chatbot_availability,ai_copilot_availability,ai_sales_agent_availability,audience_ids,created_at,updated_at",
    ),
    (
        "conversation",
        "type,id,title,state,open,read,priority,admin_assignee_id,team_assignee_id,source.type,source.subject,source.author.type,source.author.id,source.author.name,source.author.email,waiting_since,snoozed_until,created_at,updated_at,metrics_retained,deleted_at",
    ),
    (
        "conversation_attribute",
        "type,id,name,data_type,description,required,options,archived,created_at,updated_at",
    ),
    (
        "conversation_part",
        "type,id,part_type,author.type,author.id,author.name,assigned_to.type,assigned_to.id,created_at,updated_at",
    ),
    (
        "data_attribute",
        "type,id,model,name,full_name,label,data_type,options,custom,archived,created_at,updated_at",
    ),
    ("data_connector", "type,id,name,description,state,http_method,direct_fin_usage,created_at,updated_at"),
    (
        "data_connector.execution",
        "type,id,data_connector_id,success,http_status,error_type,error_message,execution_time_ms,conversation_id,created_at",
    ),
    ("email_setting", "type,id,email,verified,brand_id,forwarding_enabled"),
    ("event", "type,id,event_name,created_at,user_id,intercom_user_id,email,metadata"),
    ("article_content", "type,title,description,state,author_id,url,created_at,updated_at"),
    ("help_center", "id,workspace_id,identifier,display_name,website_turned_on,created_at,updated_at"),
    (
        "help_center_redirect",
        "type,id,from_url,locale,help_center_id,target_type,target_id,created_at,updated_at",
    ),
    ("internal_article", "type,id,title,owner_id,author_id,locale,created_at,updated_at"),
    ("macro", "type,id,name,visible_to,visible_to_team_ids,available_on,created_at,updated_at"),
    ("merge_history", "type,source_contact_id,source_contact_role,merged_at"),
    ("news-item", "type,id,title,state,sender_id,created_at,updated_at"),
    ("newsfeed", "type,id,name,created_at,updated_at"),
    ("note", "type,id,contact.id,author.id,author.name,created_at,body"),
    (
        "office_hours_exception",
        "type,id,office_hours_schedule_id,exception_date,exception_type,name,time_intervals,recurring_annually",
    ),
    ("office_hours_schedule", "type,id,name,time_zone_name,time_intervals,twenty_four_seven"),
    ("segment", "type,id,name,person_type,count,created_at,updated_at"),
    ("subscription", "type,id,state,consent_type,default_translation.name,content_types"),
    ("tag", "type,id,name,applied_at"),
    ("team", "type,id,name,admin_ids"),
    ("team_metric", "type,admin_id,open,idle,snoozed"),
    (
        "ticket",
        "type,id,ticket_id,category,open,ticket_attributes._default_title_,ticket_state.id,ticket_state.internal_label,ticket_type.id,ticket_type.name,admin_assignee_id,team_assignee_id,created_at,updated_at,snoozed_until",
    ),
    ("ticket_state", "type,id,category,internal_label,external_label,archived"),
    ("ticket_type", "type,id,name,category,is_internal,archived,created_at,updated_at"),
    ("ticket_type_attribute", "type,id,name,data_type,required_to_create,visible_on_create,archived"),
    ("visitor", "type,id,user_id,name,email,phone,created_at,updated_at,last_request_at"),
];

/// Other type names of the same records.
const TYPE_ALIASES: [(&str, &str); 4] = [
    ("user", "contact"),
    ("lead", "contact"),
    ("conversation.item", "conversation"),
    ("ticket_part", "conversation_part"),
];

/// Characters of a body that a list shows.
const EXCERPT_CHARS: usize = 280;

/// Key fields of records of other types.
const GENERIC_KEY_FIELDS: [&str; 25] = [
    "id",
    "type",
    "name",
    "title",
    "subject",
    "email",
    "phone",
    "role",
    "external_id",
    "company_id",
    "user_id",
    "state",
    "status",
    "open",
    "read",
    "priority",
    "part_type",
    "category",
    "code",
    "reason",
    "scroll_param",
    "pages",
    "total_count",
    "next",
    "starting_after",
];

/// The top-level key fields of a type; empty for an undeclared type.
pub fn key_fields(kind: &str) -> Vec<&'static str> {
    let fields = declared(kind).into_iter().flat_map(|fields| fields.split(','));
    fields.map(|field| field.split_once('.').map_or(field, |(first, _)| first)).collect()
}

/// The name under which a type is declared.
pub fn canonical_kind(kind: &str) -> &str {
    TYPE_ALIASES.iter().find(|(other, _)| *other == kind).map_or(kind, |(_, kind)| kind)
}

/// The declared fields of a type.
fn declared(kind: &str) -> Option<&'static str> {
    let kind = canonical_kind(kind);
    KEY_FIELDS.iter().find(|(name, _)| *name == kind).map(|(_, fields)| *fields)
}

/// Reduces a record, or the records of a list, to their key fields.
pub fn compact(document: &Value, list: Option<&str>) -> Value {
    match (document, list) {
        (Value::Array(records), _) => records.iter().map(record).collect(),
        (Value::Object(fields), Some(list)) => {
            let (first, rest) =
                list.split_once('.').map_or((list, None), |(first, rest)| (first, Some(rest)));
            let kept = fields.iter().filter_map(|(key, value)| match value {
                Value::Array(records) if key == first => {
                    Some((key.clone(), records.iter().map(record).collect()))
                }
                Value::Object(_) if key == first && rest.is_some() => {
                    Some((key.clone(), compact(value, rest)))
                }
                // Highlights show why the search found a record.
                value if key.starts_with("highlight") => Some((key.clone(), value.clone())),
                value => (is_key(key) || is_scalar(value)).then(|| (key.clone(), value.clone())),
            });
            kept.collect::<Map<_, _>>().into()
        }
        _ => record(document),
    }
}

/// Reduces a record to its key fields; a record without any is left unchanged.
pub fn record(record: &Value) -> Value {
    let Value::Object(fields) = record else { return record.clone() };
    let kind = fields.get("type").and_then(Value::as_str);
    let selection = kind.and_then(declared).and_then(|fields| FieldSelection::parse(fields).ok());
    let mut kept = match selection {
        Some(selection) => selection.record(record, &mut MatchedPaths::default()),
        // A row of a report.
        None if kind.is_none() && !fields.contains_key("id") => return record.clone(),
        None => generic(fields),
    };
    if let Some(Value::String(body)) = kept.get_mut("body") {
        *body = excerpt(body, EXCERPT_CHARS);
    }
    let has_more_than_type = kept.as_object().is_some_and(|kept| kept.keys().any(|name| name != "type"));
    if has_more_than_type { kept } else { record.clone() }
}

fn generic(fields: &Map<String, Value>) -> Value {
    let key = |name: &String, value: &Value| is_key(name) && (is_scalar(value) || name == "pages");
    let kept = fields.iter().filter(|(name, value)| key(name, value));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect::<Map<_, _>>().into()
}

/// The columns of these records in a line format: the path of every key field.
pub fn columns(records: &[Value], for_people: bool) -> FieldSelection {
    let mut paths = Vec::new();
    for one in records {
        collect_paths(&record(one), !for_people, &mut Vec::new(), &mut paths);
    }
    if for_people {
        // The records of most lists have the same type, so people do not need the column.
        let is_mixed = records.windows(2).any(|two| two[0]["type"] != two[1]["type"]);
        let has_more = paths.len() > 1 && !is_mixed;
        paths.retain(|path| !has_more || *path != ["type"]);
        paths.sort_by_key(|path| rank(&path.join(".")));
    }
    FieldSelection::of(paths)
}

/// The most useful columns, which come first and are hidden last on a narrow terminal.
const COLUMN_ORDER: [&str; 24] = [
    "id",
    "ticket_id",
    "name",
    "title",
    "email",
    "ticket_attributes._default_title_",
    "source.author.name",
    "source.author.email",
    "state",
    "ticket_state.internal_label",
    "ticket_type.name",
    "author.name",
    "body",
    "role",
    "admin_assignee_id",
    "team_assignee_id",
    "waiting_since",
    "last_seen_at",
    "updated_at",
    "created_at",
    "phone",
    "priority",
    "company_id",
    "source.subject",
];

fn rank(path: &str) -> usize {
    COLUMN_ORDER.iter().position(|name| *name == path).unwrap_or(COLUMN_ORDER.len())
}

fn collect_paths(value: &Value, lists: bool, prefix: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                prefix.push(name.clone());
                collect_paths(value, lists, prefix, paths);
                prefix.pop();
            }
        }
        Value::Array(_) if !lists => {}
        _ if prefix.is_empty() || paths.contains(prefix) => {}
        _ => paths.push(prefix.clone()),
    }
}

fn is_key(name: &str) -> bool {
    GENERIC_KEY_FIELDS.contains(&name)
        || ["_at", "_id", "_until", "_name", "_count"].iter().any(|ending| name.ends_with(ending))
}

fn is_scalar(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_keep_their_envelope() {
        let list = json!({"type": "list", "data": [{"type": "contact", "id": "1", "avatar": {"url": "x"}, "created_at": 5,
            "custom_attributes": {"plan": "pro"}}], "pages": {"next": {"starting_after": "c"}}, "total_count": 1});
        let expected = json!({"type": "list", "data": [{"type": "contact", "id": "1", "created_at": 5}],
            "pages": {"next": {"starting_after": "c"}}, "total_count": 1});
        assert_eq!(compact(&list, Some("data")), expected);
        let deeper = json!({"type": "list", "data": {"contacts": list["data"]}});
        let expected = json!({"type": "list", "data": {"contacts": expected["data"]}});
        assert_eq!(compact(&deeper, Some("data.contacts")), expected);
    }

    #[test]
    fn a_record_without_key_fields_is_unchanged() {
        let record = json!({"type": "x", "body": {"a": 1}});
        assert_eq!(compact(&record, None), record);
    }

    #[test]
    fn a_declared_type_keeps_its_key_fields() {
        let conversation = json!({"type": "conversation", "id": "1", "state": "open", "source": {"body": "<p>long</p>",
            "subject": "Hi", "author": {"email": "a@b.c", "type": "user"}}, "statistics": {"count_reopens": 1}});
        let kept = json!({"type": "conversation", "id": "1", "state": "open",
            "source": {"subject": "Hi", "author": {"type": "user", "email": "a@b.c"}}});
        assert_eq!(record(&conversation), kept);
        let columns = columns(&[conversation], true).columns();
        assert_eq!(columns, ["id", "source.author.email", "state", "source.subject", "source.author.type"]);
        assert_eq!(
            record(&json!({"type": "user", "id": "2", "avatar": {}})),
            json!({"type": "user", "id": "2"})
        );
    }

    #[test]
    fn an_undeclared_type_keeps_fields_that_look_like_key_fields() {
        let gadget = json!({"type": "gadget", "id": "1", "created_at": 5, "blob": "x", "owner": {"id": "2"}});
        assert_eq!(record(&gadget), json!({"type": "gadget", "id": "1", "created_at": 5}));
    }

    #[test]
    fn rows_of_a_report_are_unchanged() {
        let row = json!({"team": "Support", "first_response_p50_minutes": 4.2, "missing": {"parts": 1}});
        assert_eq!(compact(&json!([row]), None), json!([row]));
    }
}
