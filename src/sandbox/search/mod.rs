//! The query language of the search operations.
//!
//! A query is compiled before any record is read, so that an invalid one is rejected even if the workspace is
//! empty. It must keep the pitfalls of the API: dates of contacts compare by day, `=` on a message body matches
//! single words only, and groups nest two levels deep.

mod fields;
mod filter;

use serde_json::Value;

use self::fields::{FieldKind, FieldValue, SearchField, SearchScope, SearchableRecord};
use self::filter::{FilterContext, SearchFilter};
use super::paging::{PageRequest, RecordPage, cursor_page};
use super::quirk::Quirk;
use super::record_set::RecordSet;
use super::request::ApiRequest;
use super::response::ErrorResponse;
use super::workspace::Workspace;

/// Runs the search in the request body on the records of one type.
pub fn run_search<'a, T: SearchableRecord>(
    workspace: &'a Workspace,
    records: &'a RecordSet<T>,
    request: &ApiRequest,
    default_page_size: usize,
) -> Result<RecordPage<'a, T>, ErrorResponse> {
    let page_request = PageRequest::from_body(request, default_page_size)?;
    let query = &request.body["query"];
    let is_by_ids = query["field"] == "id" && query["operator"] == "IN";
    for quirk in &workspace.quirks {
        match quirk {
            Quirk::NoSearchByIds if is_by_ids => {
                return Err(ErrorResponse::invalid("operator", "IN is not supported for id"));
            }
            Quirk::NoNullSearch if tests(query).any(|test| test["value"].is_null()) => {
                return Err(ErrorResponse::invalid("value", "value cannot be null"));
            }
            Quirk::StrictGroups if has_mixed_group(query) => {
                let message = "a group holds filters or groups, not both";
                return Err(ErrorResponse::invalid("query.value", message));
            }
            _ => {}
        }
    }
    let is_blind = is_by_ids && workspace.quirks.contains(&Quirk::BlindSearchByIds);
    let filter = match request.body.get("query") {
        Some(query) => SearchFilter::<T>::compile(query)?,
        None => return Err(ErrorResponse::missing("query")),
    };
    let sort = Sort::<T>::compile(request.body.get("sort"))?;
    let scope = SearchScope { workspace, version: &request.version };
    let context = FilterContext::new(scope);
    let mut matches: Vec<_> = records
        .newest_first()
        .filter(|record| !is_blind && record.is_searchable() && filter.matches(record, &context))
        .map(|record| (sort.key(record, &scope), record))
        .collect();
    if !sort.is_default {
        matches.sort_by(|a, b| (a.0, a.1.id()).cmp(&(b.0, b.1.id())));
        if sort.descending {
            matches.reverse();
        }
    }
    Ok(cursor_page(&matches, sort.descending, &page_request))
}

fn members(query: &Value) -> &[Value] {
    query["value"].as_array().filter(|_| query["field"].is_null()).map_or(&[], Vec::as_slice)
}

/// The single filters of a query.
fn tests(query: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match members(query) {
        [] => Box::new(std::iter::once(query)),
        members => Box::new(members.iter().flat_map(tests)),
    }
}

fn has_mixed_group(query: &Value) -> bool {
    let members = members(query);
    let groups = members.iter().filter(|member| member["field"].is_null()).count();
    (groups > 0 && groups < members.len()) || members.iter().any(has_mixed_group)
}

struct Sort<T> {
    field: SearchField<T>,
    descending: bool,
    is_default: bool,
}

impl<T: SearchableRecord> Sort<T> {
    fn compile(sort: Option<&Value>) -> Result<Self, ErrorResponse> {
        let sort = sort.filter(|sort| !sort.is_null()).unwrap_or(&Value::Null);
        let name = sort["field"].as_str().unwrap_or("updated_at");
        let descending = match &sort["order"] {
            Value::Null => true,
            order if order == "descending" => true,
            order if order == "ascending" => false,
            _ => {
                return Err(ErrorResponse::invalid("sort.order", "order must be ascending or descending"));
            }
        };
        let field = T::field(name)
            .filter(|field| field.kind == FieldKind::Time)
            .ok_or_else(|| ErrorResponse::invalid("sort.field", format!("{name} is not a sortable field")))?;
        Ok(Sort { field, descending, is_default: descending && name == "updated_at" })
    }

    fn key(&self, record: &T, scope: &SearchScope<'_>) -> i64 {
        match (self.field.read)(record, scope) {
            FieldValue::Time(Some(at)) => at,
            _ => 0,
        }
    }
}
