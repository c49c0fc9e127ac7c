//! Addresses of records in the Intercom app, for people to open in a browser.
//!
//! Their forms were observed in the app; they are not documented and may change. No request may be sent to them.

use reqwest::Url;

use super::region::Region;

/// A page of the app about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebPage {
    /// A conversation in the inbox.
    Conversation,
    /// A ticket, which is in the inbox like a conversation.
    Ticket,
    /// The profile of a contact, with its conversations.
    Contact,
    /// A company, with its contacts.
    Company,
    /// An article in the editor.
    Article,
}

/// The app of one workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebApp {
    region: Region,
    /// Short code of the workspace (`id_code`).
    code: String,
}

impl WebApp {
    /// The app of the workspace with this code, which [`Identity`](super::identity::Identity) has.
    pub fn new(region: Region, code: impl Into<String>) -> Self {
        WebApp { region, code: code.into() }
    }

    /// The address of a record's page. The id is encoded, so it cannot lead to another page.
    pub fn address(&self, page: WebPage, id: &str) -> String {
        let host = match self.region {
            Region::Us => "https://app.intercom.com/",
            Region::Eu => "https://app.eu.intercom.com/",
            Region::Au => "https://app.au.intercom.com/",
        };
        let path = match page {
            WebPage::Conversation | WebPage::Ticket => vec!["inbox", "inbox", "conversation", id],
            WebPage::Contact => vec!["users", id, "all-conversations"],
            WebPage::Company => vec!["companies", id, "users"],
            WebPage::Article => vec!["articles", "articles", id, "show"],
        };
        let Ok(mut url) = Url::parse(host) else { return host.to_owned() };
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["a", "apps", &self.code]).extend(path);
        }
        url.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_record_has_an_address_in_its_region() {
        let (us, eu) = (WebApp::new(Region::Us, "ab1"), WebApp::new(Region::Eu, "ab1"));
        for (app, page, address) in [
            (&us, WebPage::Conversation, "https://app.intercom.com/a/apps/ab1/inbox/inbox/conversation/7"),
            (&eu, WebPage::Ticket, "https://app.eu.intercom.com/a/apps/ab1/inbox/inbox/conversation/7"),
            (&us, WebPage::Contact, "https://app.intercom.com/a/apps/ab1/users/7/all-conversations"),
            (&us, WebPage::Company, "https://app.intercom.com/a/apps/ab1/companies/7/users"),
            (&eu, WebPage::Article, "https://app.eu.intercom.com/a/apps/ab1/articles/articles/7/show"),
        ] {
            assert_eq!(app.address(page, "7"), address);
        }
        let au = WebApp::new(Region::Au, "ab1").address(WebPage::Contact, "../x?y");
        assert_eq!(au, "https://app.au.intercom.com/a/apps/ab1/users/..%2Fx%3Fy/all-conversations");
    }
}
