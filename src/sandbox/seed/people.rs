//! Seed data: teammates, teams, companies, contacts, and settings such as tags and attributes.

use serde_json::{Map, json};

use super::words::*;
use crate::sandbox::calendar::{DAY, HOUR};
use crate::sandbox::model::admin::Admin;
use crate::sandbox::model::company::Company;
use crate::sandbox::model::contact::{ContactNote, ContactRecord, DataEvent};
use crate::sandbox::model::plain::PlainRecord;
use crate::sandbox::model::tagging::AppliedTag;
use crate::sandbox::new_records::new_custom_object;
use crate::sandbox::options::Options;
use crate::sandbox::workspace::{IdSequence, Workspace};

const FIRST_ADMIN: i64 = 991_267_000;
const FIRST_TEAM: i64 = 5_017_690;

/// Custom attributes: model, name and type, and options.
const ATTRIBUTES: &[([&str; 3], &[&str])] = &[
    (["contact", "plan", "string"], &["free", "starter", "growth"]),
    (["contact", "seats", "integer"], &[]),
    (["contact", "beta_user", "boolean"], &[]),
    (["contact", "lifetime_value", "float"], &[]),
    (["company", "tier", "string"], &[]),
    (["company", "renewal_at", "date"], &[]),
    (["conversation", "product_area", "string"], &[]),
];

/// Built-in attributes: model, name, type.
const BUILT_IN: &[[&str; 3]] = &[
    ["contact", "name", "string"],
    ["contact", "email", "string"],
    ["contact", "phone", "string"],
    ["contact", "created_at", "date"],
    ["company", "name", "string"],
    ["company", "company_id", "string"],
    ["company", "monthly_spend", "float"],
    ["company", "size", "integer"],
];

pub fn fill(workspace: &mut Workspace, options: &Options) {
    teammates(workspace, options);
    set_up(workspace, options);
    let companies = companies(workspace, options);
    contacts(workspace, options, &companies);
}

fn teammates(workspace: &mut Workspace, options: &Options) {
    let teams = options.teams.max(1);
    for number in 0..options.admins.max(1) {
        let (name, job_title) = ADMINS[number % ADMINS.len()];
        let away = workspace.random.chance(20) && number > 0;
        workspace.admins.push(Admin {
            id: FIRST_ADMIN + number as i64,
            name: name.to_owned(),
            email: format!("admin{number}@sandbox.test"),
            job_title: job_title.to_owned(),
            away_mode_enabled: away,
            away_mode_reassign: away && workspace.random.chance(50),
            has_inbox_seat: true,
            team_ids: vec![FIRST_TEAM + (number % teams) as i64],
        });
    }
    for number in 0..teams {
        let id = FIRST_TEAM + number as i64;
        let members = workspace.admins.iter().filter(|admin| admin.team_ids.contains(&id));
        let admin_ids: Vec<_> = members.map(|admin| admin.id).collect();
        let name = TEAMS[number % TEAMS.len()];
        workspace.teams.insert(PlainRecord::new(
            json!({"type": "team", "id": id.to_string(), "name": name, "admin_ids": admin_ids}),
        ));
    }
}

fn set_up(workspace: &mut Workspace, options: &Options) {
    let created_at = options.now - 400 * DAY;
    for name in TAGS {
        let tag = workspace.new_tag(name);
        workspace.tags.insert(tag);
    }
    for (name, person_type) in
        [("Active", "user"), ("New", "user"), ("Slipping Away", "user"), ("Leads", "contact")]
    {
        let id = workspace.object_id(created_at);
        workspace.segments.insert(PlainRecord::new(json!({
            "type": "segment",
            "id": id,
            "name": name,
            "created_at": created_at,
            "updated_at": created_at,
            "person_type": person_type,
        })));
    }
    for field in BUILT_IN {
        let attribute = workspace.new_data_attribute(false, *field, created_at);
        workspace.data_attributes.insert(attribute);
    }
    for (field, choices) in ATTRIBUTES {
        let mut attribute = workspace.new_data_attribute(true, *field, created_at);
        if !choices.is_empty() {
            attribute.document["options"] = json!(choices);
        }
        workspace.data_attributes.insert(attribute);
    }
    for (name, consent_type) in [("Announcements", "opt_out"), ("Product tips", "opt_in")] {
        let translation = json!({"name": name, "description": format!("{name} by email"), "locale": "en"});
        let id = workspace.next_id(IdSequence::Other);
        workspace.subscription_types.insert(PlainRecord::new(json!({
            "type": "subscription",
            "id": id,
            "state": "live",
            "consent_type": consent_type,
            "default_translation": translation,
            "translations": [translation],
            "content_types": ["email"],
        })));
    }
    workspace.custom_objects.insert(new_custom_object(["22", "Order", "order-1842"], created_at));
    for name in ["Visitors", "Customers"] {
        let id = workspace.next_id(IdSequence::Other);
        workspace.newsfeeds.insert(PlainRecord::new(json!({
            "id": id,
            "type": "newsfeed",
            "name": name,
            "created_at": created_at,
            "updated_at": created_at,
        })));
    }
    for number in 0..30 {
        let admin = workspace.random.pick(&workspace.admins);
        let at = options.now - 28 * DAY + number * 22 * HOUR;
        let kind = if number % 3 == 0 { "admin_away_mode_change" } else { "admin_login_success" };
        let entry = admin.activity(workspace.random.uuid(), at, kind, "was active", json!({}));
        workspace.activities.push(entry);
    }
}

/// Returns the ids of the companies that contacts may belong to. The last companies get no contacts.
fn companies(workspace: &mut Workspace, options: &Options) -> Vec<String> {
    let mut ids = Vec::new();
    for number in 0..options.companies {
        let created_at = options.now - workspace.random.between(30, 700) * DAY;
        let id = workspace.object_id(created_at);
        let random = &mut workspace.random;
        let name = format!("{} {}", random.pick(COMPANY_NAMES), random.pick(COMPANY_KINDS));
        let mut attributes = Map::new();
        attributes.insert("tier".to_owned(), json!(random.pick(&["gold", "silver", "bronze"])));
        let company = Company {
            company_id: format!("account-{number}"),
            plan: random.chance(80).then(|| (*random.pick(PLANS)).to_owned()),
            size: random.chance(70).then(|| random.between(2, 4_000)),
            website: random.chance(60).then(|| format!("https://company{number}.example")),
            industry: random.chance(60).then(|| (*random.pick(INDUSTRIES)).to_owned()),
            monthly_spend: random.between(0, 4_000),
            session_count: random.between(0, 900),
            remote_created_at: Some(created_at - DAY),
            last_request_at: random.chance(85).then(|| options.now - random.between(0, 60) * DAY),
            created_at,
            updated_at: random.between(created_at, options.now),
            custom_attributes: attributes,
            name: Some(name),
            id: id.clone(),
            ..Company::default()
        };
        workspace.companies.insert(company);
        ids.push(id);
    }
    ids.truncate((options.companies * 85).div_ceil(100));
    ids
}

fn contacts(workspace: &mut Workspace, options: &Options, companies: &[String]) {
    for number in 0..options.contacts {
        let created_at = options.now - workspace.random.between(0, 500 * DAY);
        let mut contact = person(workspace, number, created_at, options.now);
        // The first contact has more tags, notes and companies than its document can include.
        let exceeds_limits = number == 0;
        let tags = match workspace.random.below(100) {
            _ if exceeds_limits => 13,
            0..4 => 12,
            4..40 => workspace.random.below(4),
            _ => 0,
        };
        for tag in workspace.tags.iter().take(tags) {
            let applied_at = workspace.random.between(created_at, options.now);
            let tag_id = tag.id.clone();
            contact.tags.push(AppliedTag { tag_id, applied_at, admin_id: FIRST_ADMIN });
        }
        let notes = if exceeds_limits { 12 } else { usize::from(workspace.random.chance(12)) };
        for _ in 0..notes {
            note(workspace, &mut contact, options.now);
        }
        if exceeds_limits {
            contact.companies = companies.iter().take(12).cloned().collect();
        } else if !companies.is_empty() && workspace.random.chance(70) {
            // Every company gets a contact before any company gets a second one.
            let index =
                if number <= companies.len() { number - 1 } else { workspace.random.below(companies.len()) };
            contact.companies.push(companies[index].clone());
        }
        if contact.is_user && workspace.random.chance(30) {
            event(workspace, &contact, options.now);
        }
        workspace.contacts.insert(contact);
    }
}

fn person(workspace: &mut Workspace, number: usize, created_at: i64, now: i64) -> ContactRecord {
    let id = workspace.object_id(created_at);
    let owner = workspace.random.pick(&workspace.admins).id;
    let segments = &workspace.segments;
    let random = &mut workspace.random;
    let is_user = number == 0 || random.chance(75);
    let (first, last) = (random.pick(FIRST_NAMES), random.pick(LAST_NAMES));
    let has_email = random.chance(if is_user { 94 } else { 60 });
    let last_seen_at = random.chance(80).then(|| random.between(created_at, now));
    let (country, city) = random.pick(PLACES);
    let (browser, os) = random.pick(BROWSERS);
    let segment = if is_user { random.below(3) } else { 3 };
    let mut attributes = Map::new();
    if random.chance(60) {
        attributes.insert("plan".to_owned(), json!(random.pick(&["free", "starter", "growth"])));
        attributes.insert("seats".to_owned(), json!(random.between(1, 250)));
    }
    if random.chance(10) {
        attributes.insert("beta_user".to_owned(), json!(true));
    }
    ContactRecord {
        id,
        external_id: is_user.then(|| format!("user-{number}")),
        is_user,
        email: has_email.then(|| format!("person{number}@company{}.example", number % 37)),
        phone: random.chance(30).then(|| format!("+1555{:07}", random.below(10_000_000))),
        name: random.chance(90).then(|| format!("{first} {last}")),
        owner_id: random.chance(20).then_some(owner),
        created_at,
        updated_at: random.between(created_at, now),
        signed_up_at: is_user.then_some(created_at),
        last_seen_at,
        last_email_opened_at: last_seen_at.filter(|_| random.chance(40)),
        unsubscribed_from_emails: random.chance(8),
        has_hard_bounced: random.chance(3),
        language: random.chance(50).then(|| (*random.pick(LANGUAGES)).to_owned()),
        browser: last_seen_at.map(|_| (*browser).to_owned()),
        os: last_seen_at.map(|_| (*os).to_owned()),
        country: random.chance(70).then(|| (*country).to_owned()),
        city: random.chance(50).then(|| (*city).to_owned()),
        custom_attributes: attributes,
        segments: vec![segments[segment].id.clone()],
        ..ContactRecord::default()
    }
}

fn note(workspace: &mut Workspace, contact: &mut ContactRecord, now: i64) {
    let note = ContactNote {
        id: workspace.next_id(IdSequence::Other),
        created_at: workspace.random.between(contact.created_at, now),
        contact_id: contact.id.clone(),
        admin_id: workspace.random.pick(&workspace.admins).id,
        body: format!("<p>{}</p>", workspace.random.pick(NOTES)),
    };
    contact.notes.push(note.id.clone());
    workspace.notes.push(note);
}

fn event(workspace: &mut Workspace, contact: &ContactRecord, now: i64) {
    let random = &mut workspace.random;
    workspace.events.push(DataEvent {
        contact_id: contact.id.clone(),
        name: (*random.pick(&["signed-in", "exported-report", "invited-teammate"])).to_owned(),
        created_at: random.between(contact.created_at, now),
        metadata: json!({}),
    });
}
