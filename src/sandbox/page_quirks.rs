//! Pagination quirks, applied before and after a list's handler.
//!
//! Handlers must not know about these quirks: the request is changed on its way in, the response on its way out.

use serde_json::{Value, json};

use super::document_quirks::records;
use super::quirk::Quirk;
use super::request::ApiRequest;
use super::response::ErrorResponse;

/// Whether a request asks for a page other than the first.
fn is_later_page(request: &ApiRequest) -> bool {
    let has_page_number = request.query("page").is_some_and(|page| page != "1");
    has_page_number
        || request.query("starting_after").is_some()
        || request.body["pagination"]["starting_after"].is_string()
}

/// Rejects or changes a request before it is handled.
pub(super) fn before(quirks: &[Quirk], request: &mut ApiRequest) -> Result<(), ErrorResponse> {
    for quirk in quirks {
        match quirk {
            Quirk::PageCap(max) => {
                let per_page = request.query("per_page").and_then(|size| size.parse().ok());
                let per_page = per_page.or_else(|| request.body["pagination"]["per_page"].as_u64());
                if per_page.is_some_and(|per_page| per_page > *max as u64) {
                    let message = format!("The limit may not be greater than {max}");
                    return Err(ErrorResponse::new(400, "parameter_invalid", message));
                }
            }
            Quirk::RepeatingPage(pattern) if pattern.matches(&request.url_path) => {
                request.query.retain(|(name, _)| !matches!(name.as_str(), "starting_after" | "page"));
                if let Some(pagination) = request.body.get_mut("pagination").and_then(Value::as_object_mut) {
                    pagination.remove("starting_after");
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Whether the request is for a page after the first of a list that is cut short.
pub(super) fn is_cut_short(quirks: &[Quirk], request: &ApiRequest) -> bool {
    let cut =
        |quirk: &Quirk| matches!(quirk, Quirk::ShortPage(pattern) if pattern.matches(&request.url_path));
    is_later_page(request) && quirks.iter().any(cut)
}

/// Changes the page in a response. `cursor` must be unique to this request.
pub(super) fn after(quirks: &[Quirk], url_path: &str, is_cut_short: bool, cursor: &str, page: &mut Value) {
    let extra = |quirk: &Quirk| matches!(quirk, Quirk::ExtraCount(pattern) if pattern.matches(url_path));
    if quirks.iter().any(extra) {
        let listed = || page.as_object()?.values().find_map(Value::as_array).map(|list| list.len() as u64);
        if let Some(count) = page["total_count"].as_u64().or_else(listed) {
            page["total_count"] = json!(count + 5);
        }
    }
    if !page["pages"].is_object() {
        return;
    }
    if is_cut_short {
        page["pages"]["next"] = Value::Null;
        if let Some(list) =
            page.as_object_mut().and_then(|page| page.values_mut().find(|value| value.is_array()))
        {
            *list = json!([]);
        }
    }
    for quirk in quirks {
        match quirk {
            Quirk::RepeatingPage(pattern) if pattern.matches(url_path) => {
                page["pages"]["next"] = json!({"page": 2, "starting_after": cursor});
            }
            Quirk::NullCursor if page["pages"]["next"].is_null() => {
                let number = page["pages"]["page"].as_u64().unwrap_or(1);
                page["pages"]["next"] = json!({"page": number + 1, "starting_after": null});
            }
            Quirk::SparseSearch(key) if url_path.ends_with("/search") => {
                for record in records(page).into_iter().flatten().filter_map(Value::as_object_mut) {
                    record.shift_remove(key);
                }
            }
            Quirk::StaleSearch if url_path == "/conversations/search" => {
                let records = records(page).into_iter().flatten();
                for record in records.filter(|record| record["state"] == "closed") {
                    record["state"] = json!("open");
                    record["open"] = json!(true);
                }
            }
            _ => {}
        }
    }
}
