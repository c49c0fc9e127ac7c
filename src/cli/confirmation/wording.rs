//! Changes in words: the question before an operation, and the sentence after it.
//!
//! Data, so that a question never depends on how a help text is phrased. Every operation that must be confirmed has an
//! entry; a test checks this.

use crate::api::operation::Operation;

/// A verb: in the imperative, in the past tense, and what an answer of no leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verb {
    pub bare: &'static str,
    pub past: &'static str,
    pub declined: &'static str,
}

const fn verb(bare: &'static str, past: &'static str, declined: &'static str) -> Verb {
    Verb { bare, past, declined }
}

const ARCHIVE: Verb = verb("Archive", "Archived", "not archived");
const BLOCK: Verb = verb("Block", "Blocked", "not blocked");
const CHANGE: Verb = verb("Change", "Changed", "not changed");
const CONVERT: Verb = verb("Convert", "Converted", "not converted");
const DELETE: Verb = verb("Delete", "Deleted", "not deleted");
const DISMISS: Verb = verb("Dismiss", "Dismissed", "not dismissed");
const MERGE: Verb = verb("Merge", "Merged", "not merged");
const PUBLISH: Verb = verb("Publish", "Published", "not published");
const REDACT: Verb = verb("Redact", "Redacted", "not redacted");
const RATE: Verb = verb("Rate", "Rated", "not rated");
const REMOVE: Verb = verb("Remove", "Removed", "not removed");
const REPLACE: Verb = verb("Replace", "Replaced", "not replaced");
const REPLY: Verb = verb("Reply to", "Replied to", "not sent");
const SAVE: Verb = verb("Save", "Saved", "not saved");
const SET: Verb = verb("Set", "Set", "not set");
const STAGE: Verb = verb("Stage", "Staged", "not staged");
const UNARCHIVE: Verb = verb("Unarchive", "Unarchived", "not unarchived");
const UNLINK: Verb = verb("Unlink", "Unlinked", "not unlinked");
const UPDATE: Verb = verb("Update", "Updated", "not updated");

/// Verbs of other operations, whose help starts with them.
const OTHER: [Verb; 14] = [
    verb("Add", "Added", "not added"),
    verb("Announce", "Announced", "not announced"),
    verb("Cancel", "Canceled", "not canceled"),
    verb("Close", "Closed", "not closed"),
    verb("Create", "Created", "not created"),
    verb("Link", "Linked", "not linked"),
    verb("List", "Listed", "not listed"),
    verb("Opt", "Opted", "not opted"),
    verb("Pass", "Passed", "not passed"),
    verb("Record", "Recorded", "not recorded"),
    verb("Send", "Sent", "not sent"),
    verb("Start", "Started", "not started"),
    verb("Tag", "Tagged", "not tagged"),
    verb("Turn", "Turned", "not turned"),
];

/// The words of an operation.
#[derive(Debug, Clone, Copy)]
pub struct Wording {
    pub verb: Verb,
    /// What follows the verb. `{0:contacts}` is the contact whose id is the first in the path, `{into:contacts}` the
    /// one whose id is the body's `into`, by name; without a collection, the id itself.
    pub object: &'static str,
    pub consequence: &'static str,
}

const GONE: &str = "This cannot be undone.";
const OVERWRITES: &str = "The current values are overwritten.";

/// By operation id.
const WORDINGS: &[(&str, Verb, &str, &str)] = &[
    ("setAwayAdmin", SET, "the away mode of {0:admins}", ""),
    (
        "deleteContentImportSource",
        DELETE,
        "content import source {0:ai/content_import_sources}",
        "All pages imported from it are deleted too. This cannot be undone.",
    ),
    (
        "deleteExternalPage",
        DELETE,
        "external page {0:ai/external_pages}",
        "AI answers no longer use it. This cannot be undone.",
    ),
    ("updateContentImportSource", UPDATE, "content import source {0:ai/content_import_sources}", OVERWRITES),
    ("updateExternalPage", UPDATE, "external page {0:ai/external_pages}", OVERWRITES),
    ("deleteArticle", DELETE, "article {0:articles}", GONE),
    ("updateArticle", UPDATE, "article {0:articles}", OVERWRITES),
    (
        "stageArticleDraft",
        STAGE,
        "a draft of article {0:articles}",
        "It replaces the text of a draft that is staged already.",
    ),
    ("publishArticleDraft", PUBLISH, "the draft of article {0:articles}", "Readers see it at once."),
    ("detachTagFromArticle", REMOVE, "tag {1:tags} from article {0:articles}", ""),
    ("detachTagFromInternalArticle", REMOVE, "tag {1:tags} from internal article {0:internal_articles}", ""),
    ("detachTagFromContentSnippet", REMOVE, "tag {1:tags} from snippet {0:content_snippets}", ""),
    ("updateContentSnippet", UPDATE, "snippet {0:content_snippets}", OVERWRITES),
    (
        "deleteContentSnippet",
        DELETE,
        "snippet {0:content_snippets}",
        "Fin no longer uses it. This cannot be undone.",
    ),
    ("updateAudience", UPDATE, "audience {0:audiences}", OVERWRITES),
    ("deleteAudience", DELETE, "audience {0:audiences}", GONE),
    (
        "deleteHelpCenterRedirect",
        DELETE,
        "redirect {1} of help center {0:help_center/help_centers}",
        "Its old address no longer leads anywhere. This cannot be undone.",
    ),
    (
        "bulkContentActions",
        CHANGE,
        "many pieces of content: {action}",
        "It applies to all that are listed; a deletion cannot be undone.",
    ),
    (
        "deleteCompany",
        ARCHIVE,
        "company {0:companies}",
        "Its contacts are detached and kept. This cannot be undone.",
    ),
    ("UpdateCompany", UPDATE, "company {0:companies}", OVERWRITES),
    ("ArchiveContact", ARCHIVE, "contact {0:contacts}", ""),
    ("UnarchiveContact", UNARCHIVE, "contact {0:contacts}", ""),
    ("BlockContact", BLOCK, "contact {0:contacts}", "Its conversations are archived."),
    (
        "detachContactFromACompany",
        REMOVE,
        "contact {0:contacts} from company {1:companies}",
        "Both are kept.",
    ),
    ("DeleteContact", DELETE, "contact {0:contacts}", GONE),
    (
        "MergeContact",
        MERGE,
        "lead {from:contacts} into {into:contacts}",
        "The lead is removed. This cannot be undone.",
    ),
    (
        "dismissContactBanner",
        DISMISS,
        "banner view {1} for contact {0:contacts}",
        "The contact no longer sees it. This cannot be undone.",
    ),
    ("detachSubscriptionTypeToContact", REMOVE, "subscription type {1} from contact {0:contacts}", ""),
    ("detachTagFromContact", REMOVE, "tag {1:tags} from contact {0:contacts}", ""),
    ("UpdateContact", UPDATE, "contact {0:contacts}", OVERWRITES),
    ("convertConversationToTicket", CONVERT, "conversation {0:conversations} to a ticket", GONE),
    ("detachContactFromConversation", REMOVE, "contact {1:contacts} from conversation {0:conversations}", ""),
    (
        "deleteConversation",
        DELETE,
        "conversation {0:conversations}",
        "Its messages are deleted, reports still count it. This cannot be undone.",
    ),
    (
        "mergeConversation",
        MERGE,
        "conversation {0:conversations} into {merge_into_conversation_id:conversations}",
        "The first one is closed. This cannot be undone.",
    ),
    (
        "updateConversationAttribute",
        UPDATE,
        "conversation attribute {0:conversations/attributes}",
        OVERWRITES,
    ),
    (
        "deleteConversationAttribute",
        ARCHIVE,
        "conversation attribute {0:conversations/attributes}",
        "Conversations keep its values. This cannot be undone.",
    ),
    (
        "updateConversationAttributeOption",
        UPDATE,
        "option {1} of conversation attribute {0:conversations/attributes}",
        OVERWRITES,
    ),
    (
        "deleteConversationAttributeOption",
        ARCHIVE,
        "option {1} of conversation attribute {0:conversations/attributes}",
        "Conversations keep its values. This cannot be undone.",
    ),
    ("manageConversation", CHANGE, "conversation {0:conversations}", ""),
    (
        "redactConversation",
        REDACT,
        "a message of conversation {conversation_id:conversations}",
        "Its content is erased. This cannot be undone.",
    ),
    ("detachTagFromConversation", REMOVE, "tag {1:tags} from conversation {0:conversations}", ""),
    ("updateConversation", UPDATE, "conversation {0:conversations}", OVERWRITES),
    ("deleteCustomObjectInstancesByExternalId", DELETE, "custom object {0} {1}", GONE),
    ("deleteCustomObjectInstancesById", DELETE, "the custom object of type {0}", GONE),
    ("updateDataAttribute", UPDATE, "data attribute {0}", OVERWRITES),
    ("deleteCollection", DELETE, "collection {0:help_center/collections}", GONE),
    ("updateCollection", UPDATE, "collection {0:help_center/collections}", OVERWRITES),
    ("deleteInternalArticle", DELETE, "internal article {0:internal_articles}", GONE),
    ("updateInternalArticle", UPDATE, "internal article {0:internal_articles}", OVERWRITES),
    ("deleteNewsItem", DELETE, "news item {0:news/news_items}", GONE),
    ("updateNewsItem", UPDATE, "news item {0:news/news_items}", OVERWRITES),
    ("replyConversation", REPLY, "conversation {0:conversations}", ""),
    ("replyTicket", REPLY, "ticket {0:tickets}", ""),
    ("createTag", SAVE, "tag {name}", ""),
    ("deleteTag", DELETE, "tag {0:tags}", "It is removed from every record. This cannot be undone."),
    ("updateTicketTypeAttribute", UPDATE, "attribute {1} of ticket type {0:ticket_types}", OVERWRITES),
    ("updateTicketType", UPDATE, "ticket type {0:ticket_types}", OVERWRITES),
    (
        "deleteTicket",
        DELETE,
        "ticket {0:tickets}",
        "Its messages are deleted, reports still count it. This cannot be undone.",
    ),
    ("detachTagFromTicket", REMOVE, "tag {1:tags} from ticket {0:tickets}", ""),
    ("updateTicket", UPDATE, "ticket {0:tickets}", OVERWRITES),
    (
        "convertVisitor",
        CONVERT,
        "a visitor to a contact",
        "A visitor that is merged into a user is deleted. This cannot be undone.",
    ),
    ("updateVisitor", UPDATE, "a visitor", OVERWRITES),
    ("updateOfficeHoursSchedule", UPDATE, "office hours {0:office_hours_schedules}", OVERWRITES),
    (
        "deleteOfficeHoursSchedule",
        DELETE,
        "office hours {0:office_hours_schedules}",
        "Its exceptions are deleted too. This cannot be undone.",
    ),
    (
        "updateOfficeHoursException",
        UPDATE,
        "exception {1} of office hours {0:office_hours_schedules}",
        OVERWRITES,
    ),
    ("deleteOfficeHoursException", DELETE, "exception {1} of office hours {0:office_hours_schedules}", GONE),
    (
        "updateIpAllowlist",
        REPLACE,
        "the IP allowlist of the workspace",
        "Teammates at other addresses can be locked out, which cannot be undone from there.",
    ),
    ("updateDataConnector", UPDATE, "data connector {0:data_connectors}", OVERWRITES),
    ("deleteDataConnector", DELETE, "data connector {0:data_connectors}", GONE),
    ("submitFinCsat", RATE, "conversation {conversation_id} with Fin", "A rating with a remark is final."),
    (
        "changeTicketType",
        CHANGE,
        "the type of ticket {0:tickets}",
        "Attributes that the new type does not have lose their values.",
    ),
    (
        "unlinkConversationFromTicket",
        UNLINK,
        "conversation {1:conversations} from ticket {0:tickets}",
        "Both are kept.",
    ),
];

/// The words of an operation; `None` if it needs no confirmation, or belongs to an API version that this table does not
/// know.
pub fn of(operation: &Operation) -> Option<Wording> {
    let (_, verb, object, consequence) = WORDINGS.iter().find(|(id, ..)| *id == operation.id)?;
    Some(Wording { verb: *verb, object, consequence })
}

/// The past tense of a sentence in the imperative; `None` if its verb is unknown.
pub fn past(sentence: &str) -> Option<String> {
    let mut known = WORDINGS.iter().map(|(_, verb, ..)| verb).chain(&OTHER);
    known.find_map(|verb| {
        let rest = sentence.strip_prefix(verb.bare)?.strip_prefix(' ')?;
        Some(format!("{} {rest}", verb.past))
    })
}

/// A part of an object's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'a> {
    Text(&'a str),
    /// The id at this place of the path, and the collection that has the record.
    InPath(usize, Option<&'a str>),
    /// The id in this field of the body.
    InBody(&'a str, Option<&'a str>),
}

impl Wording {
    pub fn pieces(&self) -> Vec<Piece<'static>> {
        let mut pieces = Vec::new();
        for (index, part) in self.object.split(['{', '}']).enumerate() {
            if index % 2 == 0 {
                pieces.push(Piece::Text(part));
                continue;
            }
            let (place, collection) = match part.split_once(':') {
                Some((place, collection)) => (place, Some(collection)),
                None => (part, None),
            };
            pieces.push(match place.parse() {
                Ok(position) => Piece::InPath(position, collection),
                Err(_) => Piece::InBody(place, collection),
            });
        }
        pieces
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::commands::OPERATIONS;
    use crate::api::operation::{Confirm, Place};
    use crate::cli::subject;

    #[test]
    fn every_operation_that_is_confirmed_has_words() {
        for operation in OPERATIONS.iter().filter(|operation| operation.confirm != Confirm::Never) {
            let wording = of(operation).unwrap_or_else(|| panic!("{} has no words", operation.id));
            if operation.confirm == Confirm::Explicit {
                assert!(wording.consequence.contains("cannot be undone"), "{}", operation.id);
            }
        }
    }

    #[test]
    fn every_record_in_the_words_can_be_read() {
        for (id, _, object, _) in WORDINGS {
            let operation = OPERATIONS.iter().find(|operation| operation.id == *id);
            let operation = operation.unwrap_or_else(|| panic!("unknown operation {id}"));
            let has = |place: Place, name: &str| {
                operation
                    .parameters
                    .iter()
                    .any(|parameter| parameter.place == place && parameter.name == name)
            };
            let in_path = operation.path.matches('{').count();
            for piece in of(operation).unwrap().pieces() {
                let collection = match piece {
                    Piece::Text(_) => continue,
                    Piece::InPath(position, collection) => {
                        assert!(position < in_path, "{id}: {object}");
                        collection
                    }
                    Piece::InBody(field, collection) => {
                        assert!(has(Place::Body, field), "{id}: {object}");
                        collection
                    }
                };
                assert!(collection.is_none_or(|of| subject::reader_in(of).is_some()), "{id}: {object}");
            }
        }
    }

    #[test]
    fn a_sentence_is_put_into_the_past() {
        assert_eq!(past("Create a tag").as_deref(), Some("Created a tag"));
        assert_eq!(past("Delete contact Ann").as_deref(), Some("Deleted contact Ann"));
        assert_eq!(past("Frobnicate it"), None);
    }
}
