//! Companies: lists, the scroll, and writes.
//!
//! Lists omit companies without contacts and end after 10,000 records. Only the scroll returns all companies.

use serde_json::{Value, json};

use super::operations::operations;
use crate::sandbox::model::company::Company;
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::paging::{DATA_FIRST, numbered_page, whole_list};
use crate::sandbox::quirk::Quirk;
use crate::sandbox::record_set::WorkspaceRecord;
use crate::sandbox::request::ApiRequest;
use crate::sandbox::response::{ErrorResponse, HandlerResult, SuccessResponse};
use crate::sandbox::workspace::{CompanyScroll, IdSequence, Workspace};

/// Default and maximum.
const PAGE_SIZES: (usize, usize) = (15, 60);
/// Maximum number of companies that lists return over all pages.
const LIST_LIMIT: usize = 10_000;
const SCROLL_PAGE_SIZE: usize = 100;
/// Seconds after which an unused scroll expires.
const SCROLL_TIMEOUT: i64 = 60;

operations! {
    "listAllCompanies" => |workspace, request| list_page(workspace, request, |_| true),
    "retrieveCompany" => find_or_list,
    "RetrieveACompanyById" => |workspace, request| respond_with(workspace, request.path("id")),
    "scrollOverAllCompanies" => scroll,
    "createOrUpdateCompany" => upsert,
    "UpdateCompany" => update,
    "deleteCompany" => delete,
    "createCompanyNote" => create_note,
    "ListAttachedContacts" => list_contacts,
    "ListAttachedSegmentsForCompanies" => list_segments,
}

pub fn respond_with(workspace: &Workspace, id: &str) -> HandlerResult {
    let company = workspace.companies.get(id).ok_or_else(ErrorResponse::company_not_found)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn find_or_list(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let equals =
        |value: Option<&str>, name: &str| request.query(name).is_some_and(|query| value == Some(query));
    if request.query("company_id").is_some() || request.query("name").is_some() {
        let company = workspace.companies.newest_first().find(|company| {
            equals(Some(&company.company_id), "company_id") || equals(company.name.as_deref(), "name")
        });
        let id = company.ok_or_else(ErrorResponse::company_not_found)?.id.clone();
        return respond_with(workspace, &id);
    }
    let contains =
        |ids: &[String], name: &str| request.query(name).is_none_or(|query| ids.iter().any(|id| id == query));
    list_page(workspace, request, |company| {
        contains(&company.tags, "tag_id") && contains(&company.segments, "segment_id")
    })
}

/// A page of the companies that have contacts, last requested first.
fn list_page(workspace: &Workspace, request: &ApiRequest, keep: impl Fn(&Company) -> bool) -> HandlerResult {
    let sizes = workspace.company_sizes();
    let mut companies: Vec<_> = workspace
        .companies
        .iter()
        .filter(|company| sizes.contains_key(company.id.as_str()) && keep(company))
        .collect();
    companies.sort_by_key(|company| (company.last_request_at, &company.id));
    if request.query("order") != Some("asc") {
        companies.reverse();
    }
    let listed = &companies[..companies.len().min(LIST_LIMIT)];
    let mut page = numbered_page(request, listed, PAGE_SIZES)?;
    let position = page.pages["page"].as_u64().zip(page.pages["per_page"].as_u64());
    if position.is_some_and(|(number, size)| (number - 1) * size >= LIST_LIMIT as u64) {
        let message = format!("lists end after {LIST_LIMIT} companies, use the scroll instead");
        return Err(ErrorResponse::invalid("page", message));
    }
    page.total_count = companies.len();
    let keys = &["data", "pages", "total_count"];
    Ok(page.list("list", keys, |company| workspace.company_document(company, &sizes)))
}

fn scroll(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    if workspace.quirks.contains(&Quirk::StuckScroll) {
        workspace.scroll = None;
    }
    let is_continued = request.query("scroll_param").is_some_and(|token| !token.is_empty());
    if is_continued && workspace.quirks.contains(&Quirk::LostScroll) {
        workspace.scroll = None;
    }
    let token = request.query("scroll_param").filter(|_| !workspace.quirks.contains(&Quirk::StuckScroll));
    let open = workspace.scroll.take().filter(|scroll| now - scroll.used_at <= SCROLL_TIMEOUT);
    let mut scroll = match (token.filter(|token| !token.is_empty()), open) {
        (None, None) => start_scroll(workspace, now),
        (Some(token), Some(scroll)) if scroll.token == token => scroll,
        (None, open @ Some(_)) => {
            workspace.scroll = open;
            return Err(ErrorResponse::new(400, "scroll_exists", "Another scroll is already open"));
        }
        (Some(_), open) => {
            workspace.scroll = open;
            return Err(ErrorResponse::not_found("scroll_param is unknown or has expired"));
        }
    };
    if workspace.quirks.contains(&Quirk::StuckScroll) {
        scroll.token = "stuck".to_owned();
    }
    if is_continued && workspace.quirks.contains(&Quirk::ShortScroll) {
        scroll.remaining.clear();
    }
    let size = workspace.quirks.iter().find_map(|quirk| match quirk {
        Quirk::ScrollPage(size) => Some(*size),
        _ => None,
    });
    let size = size.unwrap_or(SCROLL_PAGE_SIZE).min(scroll.remaining.len());
    let page: Vec<_> = scroll.remaining.drain(..size).collect();
    let sizes = workspace.company_sizes();
    let companies = page.iter().filter_map(|id| workspace.companies.get(id));
    let data: Vec<_> = companies.map(|company| workspace.company_document(company, &sizes)).collect();
    let response = json!({
        "type": "list",
        "data": data,
        "pages": null,
        "total_count": null,
        "scroll_param": scroll.token,
    });
    // Only an empty page ends the scroll.
    scroll.used_at = now;
    workspace.scroll = (!page.is_empty()).then_some(scroll);
    Ok(response.into())
}

fn start_scroll(workspace: &mut Workspace, now: i64) -> CompanyScroll {
    let mut remaining: Vec<_> = workspace.companies.iter().map(|company| company.id.clone()).collect();
    remaining.sort();
    CompanyScroll { token: workspace.random.uuid(), remaining, used_at: now }
}

fn upsert(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let existing = request.text("company_id").and_then(|company_id| {
        workspace.companies.iter().find(|company| company.company_id == company_id).cloned()
    });
    let mut company = match existing {
        Some(company) => company,
        None => {
            let id = workspace.object_id(now);
            let company_id = request.text("company_id").map_or_else(|| id.clone(), str::to_owned);
            Company { id, company_id, created_at: now, ..Company::default() }
        }
    };
    apply(&mut company, &request.body);
    company.touch(now);
    let id = company.id.clone();
    workspace.companies.insert(company);
    respond_with(workspace, &id)
}

fn update(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let now = workspace.now();
    let company =
        workspace.companies.get_mut(request.path("id")).ok_or_else(ErrorResponse::company_not_found)?;
    apply(company, &request.body);
    company.touch(now);
    respond_with(workspace, request.path("id"))
}

/// Applies the fields of the body; `company_id` cannot be changed.
fn apply(company: &mut Company, body: &Value) {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    for (name, value) in body.as_object().into_iter().flatten() {
        match name.as_str() {
            "name" => company.name = text(value),
            "plan" => company.plan = text(value),
            "size" => company.size = value.as_i64(),
            "website" => company.website = text(value),
            "industry" => company.industry = text(value),
            "monthly_spend" => company.monthly_spend = value.as_i64().unwrap_or_default(),
            "remote_created_at" => company.remote_created_at = value.as_i64(),
            "custom_attributes" => {
                let values = value.as_object().into_iter().flatten();
                company.custom_attributes.extend(values.map(|(name, value)| (name.clone(), value.clone())));
            }
            _ => {}
        }
    }
}

fn delete(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let company =
        workspace.companies.remove(request.path("id")).ok_or_else(ErrorResponse::company_not_found)?;
    let now = workspace.now();
    for contact in workspace.contacts.matching_mut(|contact| contact.companies.contains(&company.id)) {
        contact.companies.retain(|id| *id != company.id);
        contact.touch(now);
    }
    Ok(SuccessResponse::deleted(&company.id, "company"))
}

fn list_contacts(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let company = workspace.companies.get(request.path("id")).ok_or_else(ErrorResponse::company_not_found)?;
    let contacts: Vec<_> = workspace
        .contacts
        .newest_first()
        .filter(|contact| !contact.archived && contact.companies.contains(&company.id))
        .collect();
    Ok(numbered_page(request, &contacts, (50, 50))?
        .list("list", DATA_FIRST, |contact| workspace.contact_document(contact)))
}

fn list_segments(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let company = workspace.companies.get(request.path("id")).ok_or_else(ErrorResponse::company_not_found)?;
    Ok(whole_list("list", "data", workspace.segment_documents(&company.segments)))
}

fn create_note(workspace: &mut Workspace, request: &ApiRequest) -> HandlerResult {
    let company = workspace.companies.get(request.path("company_id"));
    let company_id = company.ok_or_else(ErrorResponse::company_not_found)?.id.clone();
    let body = request.required("body")?;
    let admin_id = match request.text("admin_id") {
        Some(id) => workspace.acting_admin(id).map_err(|_| ErrorResponse::record_not_found())?,
        None => workspace.my_id(),
    };
    let note = PlainRecord::new(json!({
        "type": "note",
        "id": workspace.next_id(IdSequence::Other),
        "created_at": workspace.now(),
        "company": {"type": "company", "id": company_id},
        "author": workspace.admin(admin_id).map(|admin| admin.author()),
        "body": body,
    }));
    let document = note.document.clone();
    workspace.company_notes.insert(note);
    Ok(document.into())
}
