//! The people of the prepared cases, their companies, and leads that are the same person again.

use serde_json::json;

use crate::sandbox::calendar::{DAY, HOUR};
use crate::sandbox::model::company::Company;
use crate::sandbox::model::contact::{ContactNote, ContactRecord};
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::options::Options;
use crate::sandbox::workspace::{ContactMerge, IdSequence, Workspace};

/// The teammates and teams that answer.
pub struct Cast {
    /// The teammate of the access token.
    pub lead: i64,
    pub engineer: i64,
    pub support: Option<i64>,
    pub billing: Option<i64>,
}

/// Name, and website.
const COMPANIES: &[[&str; 2]] = &[
    ["Kestrel Coffee", "https://kestrel-coffee.example"],
    ["Harbor Books", "https://harbor-books.example"],
    ["Tundra Outdoor", "https://tundra-outdoor.example"],
    ["Saffron Kitchen", "https://saffron-kitchen.example"],
];

/// Key, name, email address, telephone number, and index of the company.
type Person = (&'static str, &'static str, &'static str, &'static str, usize);

const USERS: &[Person] = &[
    ("nadia", "Nadia Okafor", super::CUSTOMER, "+353 21 555 0142", 0),
    ("ben", "Ben Carter", "ben.carter@harbor-books.example", "", 1),
    ("lucie", "Lucie Martin", "lucie@saffron-kitchen.example", "+33 1 55 50 01 77", 3),
    ("sven", "Sven Dahl", "sven@tundra-outdoor.example", "+46 8 555 01 99", 2),
    ("amara", "Amara Diallo", "amara@kestrel-coffee.example", "", 0),
    ("tom", "Tom Fields", "tom@harbor-books.example", "", 1),
    ("keiko", "Keiko Mori", "keiko@tundra-outdoor.example", "", 2),
    ("rafael", "Rafael Souza", "rafael@saffron-kitchen.example", "", 3),
    ("maya", "Maya Levi", "maya@harbor-books.example", "", 1),
    ("piotr", "Piotr Zielinski", "piotr@tundra-outdoor.example", "", 2),
    // The same address as another user: nothing can merge these two.
    ("sven-again", "Sven Dahl", "sven@tundra-outdoor.example", "", 2),
];

/// Key, name, email address and telephone number of people who wrote again without logging in.
const LEADS: &[(&str, &str, &str, &str)] = &[
    ("ben-lead", "Ben", "Ben.Carter@Harbor-Books.example", ""),
    ("ben-mobile", "", "ben.carter@harbor-books.example", ""),
    ("lucie-lead", "Lucie M.", "lucie@saffron-kitchen.example", ""),
    ("nadia-phone", "Nadia", "", "+353215550142"),
    ("maya-lead", "", "maya@harbor-books.example", ""),
];

pub fn fill(workspace: &mut Workspace, options: &Options) -> Cast {
    let now = options.now;
    for (number, [name, website]) in COMPANIES.iter().enumerate() {
        let created_at = now - (300 + 20 * number as i64) * DAY;
        workspace.companies.insert(Company {
            id: company_id(number),
            company_id: format!("shop-{}", number + 1),
            name: Some((*name).to_owned()),
            website: Some((*website).to_owned()),
            plan: Some(if number == 0 { "Growth" } else { "Starter" }.to_owned()),
            industry: Some("Retail".to_owned()),
            size: Some(12 + 9 * number as i64),
            monthly_spend: 240 - 40 * number as i64,
            session_count: 310,
            remote_created_at: Some(created_at),
            last_request_at: Some(now - 2 * HOUR),
            created_at,
            updated_at: now - 3 * DAY,
            ..Company::default()
        });
    }
    for (number, (key, name, email, phone, company)) in USERS.iter().enumerate() {
        let created_at = now - (280 - 11 * number as i64) * DAY;
        let mut user = person([key, name, email, phone], created_at, now);
        user.is_user = true;
        user.external_id = Some(format!("shop-user-{}", number + 1));
        user.signed_up_at = Some(created_at);
        user.companies.push(company_id(*company));
        user.custom_attributes.insert("plan".to_owned(), json!("growth"));
        user.custom_attributes.insert("seats".to_owned(), json!(4 + number));
        user.segments.extend(workspace.segments.first().map(|segment| segment.id.clone()));
        workspace.contacts.insert(user);
    }
    for (number, (key, name, email, phone)) in LEADS.iter().enumerate() {
        let lead = person([key, name, email, phone], now - (6 + 3 * number as i64) * DAY, now);
        workspace.contacts.insert(lead);
    }
    add_details(workspace, now);
    cast(workspace)
}

fn person([key, name, email, phone]: [&str; 4], created_at: i64, now: i64) -> ContactRecord {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    ContactRecord {
        id: id(key),
        email: text(email),
        phone: text(phone),
        name: text(name),
        created_at,
        updated_at: (created_at + 2 * DAY).min(now - DAY),
        last_seen_at: Some(now - 5 * HOUR),
        country: Some("Ireland".to_owned()),
        city: Some("Cork".to_owned()),
        browser: Some("firefox".to_owned()),
        os: Some("Ubuntu".to_owned()),
        language: Some("en".to_owned()),
        ..ContactRecord::default()
    }
}

/// The customer of the documents has a tag and a note.
fn add_details(workspace: &mut Workspace, now: i64) {
    let admin_id = workspace.my_id();
    let vip = workspace.tags.iter().find(|tag| tag.text("name") == "vip").map(|tag| tag.id.clone());
    let note = ContactNote {
        id: workspace.next_id(IdSequence::Other),
        created_at: now - 30 * DAY,
        contact_id: id("nadia"),
        admin_id,
        body: "<p>Runs the online shop alone. Prefers short answers with a link.</p>".to_owned(),
    };
    if let Some(nadia) = workspace.contacts.get_mut(&id("nadia")) {
        let applied_at = now - 60 * DAY;
        nadia.tags.extend(vip.map(|tag_id| AppliedTag { tag_id, applied_at, admin_id }));
        nadia.notes.push(note.id.clone());
    }
    workspace.notes.push(note);
}

fn cast(workspace: &Workspace) -> Cast {
    let team = |name: &str| {
        let team = workspace.teams.iter().find(|team| team.text("name") == name);
        team.and_then(|team| team.id.parse().ok())
    };
    let lead = workspace.my_id();
    let engineer = workspace.admins.get(1).map_or(lead, |admin| admin.id);
    Cast { lead, engineer, support: team("Support"), billing: team("Billing") }
}

/// The id of a person, by key.
/// A lead that was merged into a user weeks ago, and whose id is gone.
pub fn merge_earlier_lead(workspace: &mut Workspace, now: i64) {
    let (source_id, into) = ("507a1e00000000000000d001".to_owned(), id("ben"));
    workspace.merged.insert(source_id.clone(), into.clone());
    workspace.merges.push(ContactMerge { source_id, source_role: "lead", into, at: now - 21 * DAY });
}

pub fn id(key: &str) -> String {
    let keys = USERS.iter().map(|user| user.0).chain(LEADS.iter().map(|lead| lead.0));
    let number = keys.into_iter().position(|known| known == key).unwrap_or_default();
    format!("507a1e000000000000000{:03}", number + 1)
}

pub fn company_id(number: usize) -> String {
    format!("507a1e000000000000c00{:03}", number + 1)
}
