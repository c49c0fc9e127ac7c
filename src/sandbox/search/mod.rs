//! The query language of the search operations.
//!
//! A query is compiled before anything is looked at, so that a wrong one is refused even where no
//! record would have been reached. The traps are the service's: a contact's dates compare by day,
//! `=` on a message body knows single words only, and groups nest two deep.

mod fields;
mod filter;

use serde_json::{Value, json};

use self::fields::{Cell, Field, Kind, Searchable};
use self::filter::{Filter, Scope};
use super::answer::Problem;
use super::paging::{Page, Wanted, by_cursor};
use super::request::Request;
use super::table::Table;
use super::workspace::Workspace;

/// Answers the search in the request's body over one table.
pub fn search<'a, T: Searchable>(
    workspace: &'a Workspace,
    table: &'a Table<T>,
    request: &Request,
    usual: usize,
) -> Result<Page<'a, T>, Problem> {
    let wanted = Wanted::in_body(request, usual)?;
    let filter = match request.body.get("query") {
        Some(query) => Filter::<T>::compile(query)?,
        None => return Err(Problem::missing("query")),
    };
    let sort = Sort::<T>::compile(request.body.get("sort"))?;
    let scope = Scope::new(workspace);
    let mut found: Vec<_> = table
        .newest_first()
        .filter(|record| record.is_searchable() && filter.matches(record, &scope))
        .map(|record| (sort.key(record, workspace), record))
        .collect();
    if !sort.is_default {
        found.sort_by(|a, b| (a.0, a.1.id()).cmp(&(b.0, b.1.id())));
        if sort.descending {
            found.reverse();
        }
    }
    Ok(by_cursor(&found, sort.descending, &wanted))
}

struct Sort<T> {
    field: Field<T>,
    descending: bool,
    is_default: bool,
}

impl<T: Searchable> Sort<T> {
    fn compile(sort: Option<&Value>) -> Result<Self, Problem> {
        let sort = sort.filter(|sort| !sort.is_null()).unwrap_or(&Value::Null);
        let name = sort["field"].as_str().unwrap_or("updated_at");
        let descending = match sort["order"].as_str() {
            None | Some("descending") => true,
            Some("ascending") => false,
            Some(_) => return Err(Problem::invalid("sort.order", "order must be ascending or descending")),
        };
        let field = T::field(name)
            .filter(|field| field.kind == Kind::Moment)
            .ok_or_else(|| Problem::invalid("sort.field", format!("cannot sort by {name}")))?;
        Ok(Sort { field, descending, is_default: descending && name == "updated_at" })
    }

    fn key(&self, record: &T, workspace: &Workspace) -> i64 {
        match (self.field.read)(record, workspace) {
            Cell::Moment(Some(at)) => at,
            _ => 0,
        }
    }
}

/// The envelope that all searches and cursor lists share.
pub fn listing<T>(page: &Page<'_, T>, kind: &str, key: &str, data: Vec<Value>) -> Value {
    json!({"type": kind, "pages": page.pages, "total_count": page.total_count, key: data})
}
