//! Companies: lists, the scroll over all of them, writing.
//!
//! The lists leave out companies that nobody belongs to and end at ten thousand; only the scroll
//! has everything.

use serde_json::{Value, json};

use super::{Outcome, family};
use crate::sandbox::answer::Problem;
use crate::sandbox::model::company::Company;
use crate::sandbox::paging::by_number;
use crate::sandbox::request::Request;
use crate::sandbox::workspace::{Scroll, Workspace};

/// Records of a page when the caller does not say, and the most he may say.
const USUAL: usize = 15;
const MOST: usize = 60;
/// How far the lists reach.
const REACH: usize = 10_000;
/// Companies of one page of a scroll.
const SCROLL_PAGE: usize = 100;
/// Seconds after which an unused scroll is gone.
const SCROLL_IDLE: i64 = 60;

family! {
    "listAllCompanies" => list,
    "retrieveCompany" => find_or_list,
    "RetrieveACompanyById" => retrieve,
    "scrollOverAllCompanies" => scroll,
    "createOrUpdateCompany" => upsert,
    "UpdateCompany" => update,
    "deleteCompany" => delete,
    "ListAttachedContacts" => list_contacts,
    "ListAttachedSegmentsForCompanies" => list_segments,
}

fn not_found() -> Problem {
    Problem::new(404, "company_not_found", "There is no such company")
}

fn shown(workspace: &Workspace, id: &str) -> Outcome {
    let company = workspace.companies.get(id).ok_or_else(not_found)?;
    Ok(workspace.company_document(company, &workspace.company_sizes()).into())
}

fn list(workspace: &mut Workspace, request: &Request) -> Outcome {
    page_of(workspace, request, |_| true)
}

fn find_or_list(workspace: &mut Workspace, request: &Request) -> Outcome {
    let same = |own: Option<&str>, name: &str| request.query(name).is_some_and(|asked| own == Some(asked));
    if request.query("company_id").is_some() || request.query("name").is_some() {
        let found = workspace.companies.newest_first().find(|company| {
            same(Some(&company.company_id), "company_id") || same(company.name.as_deref(), "name")
        });
        let id = found.ok_or_else(not_found)?.id.clone();
        return shown(workspace, &id);
    }
    let has =
        |ids: &[String], name: &str| request.query(name).is_none_or(|asked| ids.iter().any(|id| id == asked));
    page_of(workspace, request, |company| {
        has(&company.tags, "tag_id") && has(&company.segments, "segment_id")
    })
}

/// A page of the companies that somebody belongs to, last requested first.
fn page_of(workspace: &Workspace, request: &Request, keep: impl Fn(&Company) -> bool) -> Outcome {
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
    let reached = &companies[..companies.len().min(REACH)];
    let mut page = by_number(request, reached, USUAL, MOST)?;
    let beyond = page.pages["page"].as_u64().zip(page.pages["per_page"].as_u64());
    if beyond.is_some_and(|(number, size)| (number - 1) * size >= REACH as u64) {
        return Err(Problem::invalid("page", "the list ends here, only the scroll goes further"));
    }
    page.total_count = companies.len();
    let data: Vec<_> =
        page.records.iter().map(|company| workspace.company_document(company, &sizes)).collect();
    let answer = json!({"type": "list", "data": data, "pages": page.pages, "total_count": page.total_count});
    Ok(answer.into())
}

fn retrieve(workspace: &mut Workspace, request: &Request) -> Outcome {
    shown(workspace, request.path("id"))
}

fn scroll(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let open = workspace.scroll.take().filter(|scroll| now - scroll.used_at <= SCROLL_IDLE);
    let mut scroll = match (request.query("scroll_param").filter(|token| !token.is_empty()), open) {
        (None, None) => start_scroll(workspace, now),
        (Some(token), Some(scroll)) if scroll.token == token => scroll,
        (None, open @ Some(_)) => {
            workspace.scroll = open;
            return Err(Problem::new(400, "scroll_exists", "Another scroll is still open"));
        }
        (Some(_), open) => {
            workspace.scroll = open;
            return Err(Problem::not_found("scroll_param is unknown or has expired"));
        }
    };
    let page: Vec<_> = scroll.remaining.drain(..scroll.remaining.len().min(SCROLL_PAGE)).collect();
    let sizes = workspace.company_sizes();
    let companies = page.iter().filter_map(|id| workspace.companies.get(id));
    let data: Vec<_> = companies.map(|company| workspace.company_document(company, &sizes)).collect();
    let answer = json!({
        "type": "list",
        "data": data,
        "pages": null,
        "total_count": null,
        "scroll_param": scroll.token,
    });
    // The page without companies ends the scroll, and only that one.
    scroll.used_at = now;
    workspace.scroll = (!page.is_empty()).then_some(scroll);
    Ok(answer.into())
}

fn start_scroll(workspace: &mut Workspace, now: i64) -> Scroll {
    let mut remaining: Vec<_> = workspace.companies.iter().map(|company| company.id.clone()).collect();
    remaining.sort();
    Scroll { token: workspace.random.uuid(), remaining, used_at: now }
}

fn upsert(workspace: &mut Workspace, request: &Request) -> Outcome {
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
    company.updated_at = company.updated_at.max(now);
    let id = company.id.clone();
    workspace.companies.insert(company);
    shown(workspace, &id)
}

fn update(workspace: &mut Workspace, request: &Request) -> Outcome {
    let now = workspace.now();
    let company = workspace.companies.get_mut(request.path("id")).ok_or_else(not_found)?;
    apply(company, &request.body);
    company.updated_at = company.updated_at.max(now);
    shown(workspace, request.path("id"))
}

/// Writes the fields of the body; `company_id` never changes.
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

fn delete(workspace: &mut Workspace, request: &Request) -> Outcome {
    let company = workspace.companies.remove(request.path("id")).ok_or_else(not_found)?;
    let now = workspace.now();
    for contact in workspace.contacts.iter_mut().filter(|contact| contact.companies.contains(&company.id)) {
        contact.companies.retain(|id| *id != company.id);
        contact.updated_at = contact.updated_at.max(now);
    }
    Ok(json!({"id": company.id, "object": "company", "deleted": true}).into())
}

fn list_contacts(workspace: &mut Workspace, request: &Request) -> Outcome {
    let company = workspace.companies.get(request.path("id")).ok_or_else(not_found)?;
    let contacts: Vec<_> = workspace
        .contacts
        .newest_first()
        .filter(|contact| !contact.archived && contact.companies.contains(&company.id))
        .collect();
    let page = by_number(request, &contacts, 50, 50)?;
    let data: Vec<_> = page.records.iter().map(|contact| workspace.contact_document(contact)).collect();
    let answer = json!({"type": "list", "data": data, "total_count": page.total_count, "pages": page.pages});
    Ok(answer.into())
}

fn list_segments(workspace: &mut Workspace, request: &Request) -> Outcome {
    let company = workspace.companies.get(request.path("id")).ok_or_else(not_found)?;
    let segments = workspace.segments.iter().filter(|segment| company.segments.contains(&segment.id));
    let data: Vec<_> = segments.map(|segment| segment.document(None)).collect();
    Ok(json!({"type": "list", "data": data}).into())
}
