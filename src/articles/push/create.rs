//! New files become articles, each exactly once.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::body::Body;
use super::super::calls;
use super::super::error::Error;
use super::super::local::Edited;
use super::super::merge::{Merged, merge};
use super::super::outcome::Outcome;
use super::super::page::Page;
use super::super::remote::{Article, text};
use super::Push;

/// Notes the article that is being created, until its file has the id.
const CREATING: &str = ".intercom/creating.json";

impl Push<'_> {
    /// A new article from files that differ in their language only.
    pub(super) async fn create(&mut self, files: &[Edited]) -> Result<(), Error> {
        let main = self.manifest.default_locale.clone();
        let Some(first) = files.iter().find(|file| file.locale == main) else {
            self.fail("", files, &format!("a new article needs a file in {main}, the main language"));
            return Ok(());
        };
        let parent =
            match first.page.collection.as_deref().map(|named| self.manifest.collection(named)).transpose() {
                Ok(parent) => {
                    parent.or_else(|| first.moved_to.as_ref().and_then(|folder| self.collection_of(folder)))
                }
                Err(reason) => {
                    self.fail("", files, &reason);
                    return Ok(());
                }
            };
        if self.options.plan_only {
            for file in files {
                let mut outcome = Outcome::new("would create", "", &file.locale, &file.path);
                outcome.fields = vec!["title", "body"];
                outcome.diff = file.page.markdown.lines().map(|line| format!("+ {line}\n")).collect();
                self.outcomes.push(outcome);
            }
            return Ok(());
        }
        let author = match first.page.author_id.or(self.options.author) {
            Some(author) => Some(author),
            None => calls::me(self.client).await?,
        };
        let mut body = new_content(&first.page, author);
        if let Some(parent) = parent.and_then(|parent| parent.parse::<i64>().ok()) {
            body["parent_id"] = json!(parent);
            body["parent_type"] = json!("collection");
        }
        let others = files.iter().filter(|file| file.locale != main);
        let others: serde_json::Map<String, Value> = others
            .map(|file| (file.locale.clone(), new_content(&file.page, file.page.author_id.or(author))))
            .collect();
        if !others.is_empty() {
            body["translated_content"] = others.into();
        }
        let answer = self.created(&first.path, &first.page.title, &body).await?;
        let Some(id) = text(&answer["id"]) else {
            self.fail("", files, "the server did not tell the new article's id");
            return Ok(());
        };
        let now = self.after(&answer, &body, &id).await?;
        let base = Article { contents: BTreeMap::new(), ..now.clone() };
        self.refresh(&base, &now.clone(), now, files)?;
        self.folder.remove(CREATING)?;
        for file in files {
            self.outcomes.push(Outcome::new("created", &id, &file.locale, &file.path));
        }
        Ok(())
    }

    /// Creates an article once: what an earlier run created without seeing the answer is found again.
    async fn created(&self, path: &str, title: &str, body: &Value) -> Result<Value, Error> {
        let noted = json!({"path": path, "title": title});
        if self
            .folder
            .read(CREATING)
            .is_ok_and(|bytes| serde_json::from_slice(&bytes).ok() == Some(noted.clone()))
        {
            let known = |id: &str| self.manifest.files.values().any(|entry| entry.id == id);
            let mut found = Vec::new();
            calls::articles(self.client, async |document| {
                if document["title"] == title && text(&document["id"]).is_some_and(|id| !known(&id)) {
                    found.push(document);
                }
                Ok(())
            })
            .await?;
            if found.len() == 1 {
                return Ok(found.remove(0));
            }
        }
        self.folder.write(CREATING, noted.to_string().as_bytes())?;
        let answer = calls::create(self.client, body).await;
        if answer.as_ref().is_err_and(|error| !error.is_outcome_unknown()) {
            self.folder.remove(CREATING)?;
        }
        Ok(answer?)
    }

    fn collection_of(&self, folder: &str) -> Option<String> {
        self.manifest.collections.iter().find(|(_, it)| it.folder == folder).map(|(id, _)| id.clone())
    }
}

fn new_content(page: &Page, author: Option<i64>) -> Value {
    let Merged::Html(html) = merge(&Body::default(), &page.markdown, &Body::default()) else {
        return Value::Null;
    };
    let state = page.state.as_deref().unwrap_or("draft");
    let mut content =
        json!({"title": page.title, "description": page.description, "body": html, "state": state});
    if let Some(author) = author {
        content["author_id"] = json!(author);
    }
    content
}
