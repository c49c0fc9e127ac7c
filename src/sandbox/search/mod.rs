//! The query language of the search operations.
//!
//! A query is compiled before any record is read, so that an invalid one is rejected even if the workspace is
//! empty. It must keep the pitfalls of the API: dates of contacts compare by day, `=` on a message body matches
//! single words only, and groups nest two levels deep.

mod fields;
mod filter;

use serde_json::{Value, json};

use self::fields::{FieldKind, FieldValue, SearchField, Searchable};
use self::filter::{FilterContext, SearchFilter};
use super::paging::{CursorPage, PageRequest, cursor_page};
use super::quirk::Quirk;
use super::request::Request;
use super::response::ErrorResponse;
use super::table::Table;
use super::workspace::Workspace;

/// Runs the search in the request body on one table.
pub fn run_search<'a, T: Searchable>(
    workspace: &'a Workspace,
    table: &'a Table<T>,
    request: &Request,
    default_page_size: usize,
) -> Result<CursorPage<'a, T>, ErrorResponse> {
    let page_request = PageRequest::from_body(request, default_page_size)?;
    let query = &request.body["query"];
    if query["field"] == "id" && query["operator"] == "IN" && workspace.quirks.contains(&Quirk::NoSearchByIds)
    {
        return Err(ErrorResponse::invalid_parameter("operator", "IN is not supported for id"));
    }
    for quirk in &workspace.quirks {
        match quirk {
            Quirk::NoNullSearch if tests(query).any(|test| test["value"].is_null()) => {
                return Err(ErrorResponse::invalid_parameter("value", "value cannot be null"));
            }
            Quirk::StrictGroups if has_mixed_group(query) => {
                let message = "a group holds filters or groups, not both";
                return Err(ErrorResponse::invalid_parameter("query.value", message));
            }
            _ => {}
        }
    }
    let is_blind = query["field"] == "id"
        && query["operator"] == "IN"
        && workspace.quirks.contains(&Quirk::BlindSearchByIds);
    let filter = match request.body.get("query") {
        Some(query) => SearchFilter::<T>::compile(query)?,
        None => return Err(ErrorResponse::missing_parameter("query")),
    };
    let sort = Sort::<T>::compile(request.body.get("sort"))?;
    let context = FilterContext::new(workspace);
    let mut matches: Vec<_> = table
        .newest_first()
        .filter(|record| !is_blind && record.is_searchable() && filter.matches(record, &context))
        .map(|record| (sort.key(record, workspace), record))
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

impl<T: Searchable> Sort<T> {
    fn compile(sort: Option<&Value>) -> Result<Self, ErrorResponse> {
        let sort = sort.filter(|sort| !sort.is_null()).unwrap_or(&Value::Null);
        let name = sort["field"].as_str().unwrap_or("updated_at");
        let descending = match sort["order"].as_str() {
            None | Some("descending") => true,
            Some("ascending") => false,
            Some(_) => {
                return Err(ErrorResponse::invalid_parameter(
                    "sort.order",
                    "order must be ascending or descending",
                ));
            }
        };
        let field = T::field(name).filter(|field| field.kind == FieldKind::Time).ok_or_else(|| {
            ErrorResponse::invalid_parameter("sort.field", format!("{name} is not a sortable field"))
        })?;
        Ok(Sort { field, descending, is_default: descending && name == "updated_at" })
    }

    fn key(&self, record: &T, workspace: &Workspace) -> i64 {
        match (self.field.read)(record, workspace) {
            FieldValue::Time(Some(at)) => at,
            _ => 0,
        }
    }
}

/// The list document of all searches and lists that are paginated by cursor.
pub fn list_document<T>(page: &CursorPage<'_, T>, kind: &str, key: &str, data: Vec<Value>) -> Value {
    json!({"type": kind, "pages": page.pages, "total_count": page.total_count, key: data})
}
