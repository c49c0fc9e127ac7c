//! The incident of the last day, and the conversations around it.

use super::people::Cast;
use super::{TICKET, Thread};
use crate::sandbox::calendar::{DAY, HOUR, MINUTE};
use crate::sandbox::model::conversation::{AssigneeChange, Author, ConversationEvent, ConversationPriority};
use crate::sandbox::workspace::Workspace;

/// Customers who report the incident: person, channel, subject, text, and minutes since.
#[rustfmt::skip]
const REPORTS: &[([&str; 4], i64)] = &[
    (["ben", "email", "Checkout fails", "<p>Our checkout fails for about every second order. Nothing changed on our side.</p>"], 286),
    (["amara", "conversation", "", "<p>Hello, the <b>checkout</b> fails with error 502 when customers pay by card.</p>"], 271),
    (["sven", "whatsapp", "", "<p>checkout fails 😕</p>"], 240),
    (["keiko", "conversation", "", "<p>Checkout fails on mobile and on the web. It worked yesterday.</p>"], 215),
    (["rafael", "email", "Lost orders", "<p>We have lost eleven orders, because the checkout fails after the card step.</p>"], 190),
    (["maya-lead", "conversation", "", "<p>Is it only us, or are there problems today? The checkout fails.</p>"], 130),
    (["piotr", "facebook", "", "<p>checkout fails again. Third time this month!</p>"], 95),
    (["lucie-lead", "conversation", "", "<p>Bonjour, the checkout fails for our customers in France.</p>"], 35),
];

pub fn fill(workspace: &mut Workspace, cast: &Cast, now: i64, has_ticket: bool) {
    shown_conversation(workspace, cast, now, has_ticket);
    reports(workspace, cast, now);
    mentioned_later(workspace, cast, now);
    earlier(workspace, cast, now);
}

fn assign(admin: i64) -> ConversationEvent {
    ConversationEvent::new("assignment", Author::Admin(admin), 0)
        .with_assignee(AssigneeChange::Admin(Some(admin)))
}

fn to_team(team: Option<i64>) -> ConversationEvent {
    ConversationEvent::new("assignment", Author::Bot, 0).with_assignee(AssigneeChange::Team(team))
}

/// The conversation that the documents show: bot, teammate, note, and a customer who waits.
fn shown_conversation(workspace: &mut Workspace, cast: &Cast, now: i64, has_ticket: bool) {
    let text = "<p>Hi, checkout fails for our customers since this morning. They see \
                <i>Payment could not be processed</i> after the card step. We are losing orders.</p>";
    let start = 4 * HOUR + 50 * MINUTE;
    let number = workspace.tickets.len() + 1;
    let mut thread = Thread::start(
        workspace,
        1,
        now,
        ["nadia", "conversation", "Checkout fails for Visa cards", text],
        start,
    );
    thread.conversation.priority = ConversationPriority::High;
    if has_ticket {
        thread.conversation.tickets.push(TICKET.to_string());
    }
    thread
        .says(
            start - 20,
            Author::AiAgent,
            "I am sorry to hear that. Please check that the card is valid. Did that answer your question?",
        )
        .customer_says(start - MINUTE, "No. A person, please. It is urgent.")
        .event(start - 62, to_team(cast.support))
        .event(start - 8 * MINUTE, assign(cast.engineer))
        .says(
            start - 12 * MINUTE,
            Author::Admin(cast.engineer),
            "Thanks, Nadia. I see the failed payments. Does it happen with every card?",
        )
        .customer_says(start - 25 * MINUTE, "Only with Visa. Mastercard works.")
        .note(
            start - 31 * MINUTE,
            cast.engineer,
            &format!(
                "Same cause as ticket {number}: 3-D Secure callbacks are dropped since the 6 am release."
            ),
        )
        .says(
            start - 34 * MINUTE,
            Author::Admin(cast.engineer),
            "We have found the cause and are rolling back. I will write as soon as it is done.",
        )
        .customer_says(40 * MINUTE, "Two customers just tried again, and it still fails. Any news?")
        .tagged("outage", cast.engineer, start - 32 * MINUTE)
        .finish();
}

/// Some are unanswered, some answered, one is closed.
fn reports(workspace: &mut Workspace, cast: &Cast, now: i64) {
    for (number, (report, minutes)) in REPORTS.iter().enumerate() {
        let ago = minutes * MINUTE;
        let mut thread = Thread::start(workspace, 10 + number as u64, now, *report, ago);
        if number % 3 != 2 {
            thread = thread.event(ago - 30, to_team(cast.support));
        }
        if number % 4 == 0 {
            let answer = "Thank you for the report. We know the cause and are working on it.";
            thread = thread.says(ago - 9 * MINUTE, Author::Admin(cast.lead), answer);
        }
        if number == 4 {
            thread =
                thread.event(ago - 30 * MINUTE, ConversationEvent::new("close", Author::Admin(cast.lead), 0));
        }
        thread.finish();
    }
}

/// Only a reply or a note names the problem, so that a search of opening messages misses them.
fn mentioned_later(workspace: &mut Workspace, cast: &Cast, now: i64) {
    let ago = 3 * HOUR;
    let opening =
        ["tom", "conversation", "", "<p>We have not had a single order since noon. Is something wrong?</p>"];
    Thread::start(workspace, 30, now, opening, ago)
        .event(ago - 40, to_team(cast.billing))
        .says(ago - 15 * MINUTE, Author::Admin(cast.lead), "What do your customers see?")
        .customer_says(ago - 22 * MINUTE, "I tried it myself, and the checkout fails.")
        .finish();
    let ago = 2 * HOUR;
    let opening =
        ["maya", "email", "Strange numbers", "<p>The revenue in your dashboard has dropped to zero.</p>"];
    Thread::start(workspace, 31, now, opening, ago)
        .event(ago - 30, to_team(cast.billing))
        .note(ago - 20 * MINUTE, cast.lead, "Checkout fails for them too, they just have not noticed.")
        .finish();
}

/// What these people wrote before: answered, rated, and partly as leads.
fn earlier(workspace: &mut Workspace, cast: &Cast, now: i64) {
    let ago = 9 * DAY;
    let opening =
        ["nadia", "email", "A second domain", "<p>We bought another domain. Where do I add it?</p>"];
    Thread::start(workspace, 40, now, opening, ago)
        .event(ago - 45, to_team(cast.support))
        .says(ago - 26 * MINUTE, Author::Admin(cast.lead), "Under Settings, Domains. It takes about an hour.")
        .customer_says(ago - 2 * HOUR, "It works. Thank you for the quick answer!")
        .event(ago - 3 * HOUR, ConversationEvent::new("close", Author::Admin(cast.lead), 0))
        .rated(5, "Quick and friendly", cast.lead, ago - 4 * HOUR)
        .finish();
    for (number, key, days) in [(41, "ben-lead", 5), (42, "ben-mobile", 7), (43, "nadia-phone", 12)] {
        let ago = days * DAY;
        let opening = [key, "conversation", "", "<p>Hello again, is there a discount for a yearly plan?</p>"];
        Thread::start(workspace, number, now, opening, ago)
            .event(ago - 60, to_team(cast.billing))
            .says(ago - 2 * HOUR, Author::Admin(cast.lead), "Yes, two months are free.")
            .event(ago - 5 * HOUR, ConversationEvent::new("close", Author::Admin(cast.lead), 0))
            .finish();
    }
}
