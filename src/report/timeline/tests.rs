//! Tests of timelines.

use super::*;

const CONTACT: Speaker = Speaker::Contact;
const ADMIN: Speaker = Speaker::Teammate;
const BOT: Speaker = Speaker::Machine;

fn timeline_of(opening: Speaker, parts: &[(&str, Speaker, bool, i64)]) -> Timeline {
    let mut timeline = Timeline::opened(opening, Some(100));
    for (part_type, by, has_text, at) in parts {
        let kind = PartKind::of(part_type);
        timeline.add(&TimelinePart {
            kind,
            by: *by,
            has_text: *has_text,
            state: None,
            assigns: None,
            at: *at,
        });
    }
    timeline
}

fn first_response(timeline: &Timeline) -> Option<i64> {
    Some(timeline.first_response_at? - timeline.first_contact_at?)
}

fn resolution(timeline: &Timeline) -> Option<i64> {
    Some(timeline.last_close_at? - timeline.first_contact_at?)
}

#[test]
fn the_first_message_of_a_teammate_is_the_first_response() {
    let timeline = timeline_of(
        CONTACT,
        &[
            ("comment", BOT, true, 101),
            ("note", ADMIN, true, 110),
            ("assignment", ADMIN, false, 120),
            ("snoozed", ADMIN, false, 125),
            ("conversation_attribute_updated_by_admin", ADMIN, true, 126),
            ("comment", CONTACT, true, 130),
            ("comment", ADMIN, true, 160),
            ("comment", ADMIN, true, 170),
        ],
    );
    assert_eq!(first_response(&timeline), Some(60));
    assert_eq!(resolution(&timeline), None);
}

#[test]
fn an_action_with_text_is_a_response() {
    for action in ["assignment", "assign_and_reopen", "close", "snoozed", "open"] {
        assert_eq!(
            first_response(&timeline_of(CONTACT, &[(action, ADMIN, true, 130)])),
            Some(30),
            "{action}"
        );
        assert_eq!(first_response(&timeline_of(CONTACT, &[(action, ADMIN, false, 130)])), None, "{action}");
    }
    // The answer may be an attachment that was deleted.
    assert_eq!(first_response(&timeline_of(CONTACT, &[("comment", ADMIN, false, 130)])), Some(30));
}

#[test]
fn an_opening_message_of_the_team_starts_no_clock() {
    let silent = timeline_of(ADMIN, &[("comment", ADMIN, true, 150), ("close", ADMIN, false, 160)]);
    assert_eq!(silent.first_contact_at, None);
    assert_eq!((first_response(&silent), resolution(&silent)), (None, None));

    let answered = timeline_of(
        ADMIN,
        &[
            ("comment", ADMIN, true, 150),
            ("close", ADMIN, false, 160),
            ("comment", CONTACT, true, 200),
            ("comment", ADMIN, true, 230),
        ],
    );
    assert_eq!(answered.first_contact_at, Some(200));
    assert_eq!(first_response(&answered), Some(30));
    assert_eq!(resolution(&answered), None);
}

#[test]
fn an_action_of_a_contact_without_text_is_not_a_message() {
    let rated = timeline_of(
        BOT,
        &[("conversation_rating_changed", CONTACT, true, 120), ("open", CONTACT, false, 130)],
    );
    assert_eq!(rated.first_contact_at, None);
    assert_eq!(timeline_of(BOT, &[("quick_reply", CONTACT, true, 120)]).first_contact_at, Some(120));
}

#[test]
fn the_last_close_is_the_resolution() {
    let parts = [
        ("close", ADMIN, false, 200),
        ("comment", CONTACT, true, 300),
        ("close", BOT, false, 400),
        ("note", ADMIN, true, 500),
    ];
    let timeline = timeline_of(CONTACT, &parts);
    assert_eq!(resolution(&timeline), Some(300));
    assert_eq!(timeline.reopened, 1);
    assert_eq!(timeline_of(CONTACT, &parts[..1]).reopened, 0);
}

#[test]
fn reopening_follows_the_state_in_the_part() {
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    let part = |part_type, by, state| TimelinePart {
        kind: PartKind::of(part_type),
        by,
        has_text: true,
        state: State::of(Some(state)),
        assigns: None,
        at: 200,
    };
    timeline.add(&part("close", ADMIN, "closed"));
    timeline.add(&part("comment", CONTACT, "closed"));
    timeline.add(&part("note", ADMIN, "closed"));
    assert_eq!(timeline.reopened, 0, "a late thank-you that opens nothing");
    timeline.add(&part("comment", CONTACT, "open"));
    assert_eq!(timeline.reopened, 1);

    // A part may contain the state before it, so that a close says "open".
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    timeline.add(&part("comment", ADMIN, "open"));
    timeline.add(&part("close", ADMIN, "open"));
    assert_eq!(timeline.reopened, 0);
    timeline.add(&part("open", ADMIN, "closed"));
    assert_eq!(timeline.reopened, 1);
}

#[test]
fn parts_before_the_first_message_are_not_responses() {
    assert_eq!(first_response(&timeline_of(CONTACT, &[("comment", ADMIN, true, 90)])), None);
    assert_eq!(first_response(&timeline_of(CONTACT, &[("comment", ADMIN, true, 100)])), Some(0));
}

#[test]
fn each_further_question_waits_for_its_answer() {
    let timeline = timeline_of(
        CONTACT,
        &[
            ("comment", CONTACT, true, 110),
            ("comment", ADMIN, true, 150),
            ("comment", ADMIN, true, 160),
            ("comment", CONTACT, true, 200),
            ("comment", CONTACT, true, 210),
            ("note", ADMIN, true, 220),
            ("comment", BOT, true, 230),
            ("close", ADMIN, true, 300),
            ("comment", CONTACT, true, 400),
        ],
    );
    assert_eq!(timeline.next_responses, [(200, Some(300))]);
    assert_eq!((timeline.waiting_since, timeline.reopened), (Some(400), 1));
}

#[test]
fn snoozes_end_when_the_conversation_is_reopened_or_the_contact_writes() {
    let timeline = timeline_of(
        CONTACT,
        &[
            ("snoozed", ADMIN, false, 200),
            ("note", ADMIN, true, 210),
            ("snoozed", ADMIN, false, 220),
            ("timer_unsnooze", BOT, false, 300),
            ("snoozed", ADMIN, false, 400),
            ("comment", CONTACT, true, 450),
            ("snoozed", ADMIN, false, 500),
        ],
    );
    assert_eq!(timeline.snoozes, [(200, Some(300)), (400, Some(450)), (500, None)]);
    assert!(timeline.snoozed());
}

#[test]
fn handle_time_counts_while_open_and_assigned_to_a_teammate() {
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    let mut add = |part_type, by, assigns, at| {
        let kind = PartKind::of(part_type);
        timeline.add(&TimelinePart {
            kind,
            by,
            has_text: kind == PartKind::Comment,
            state: None,
            assigns,
            at,
        });
    };
    add("assignment", BOT, Some(true), 120);
    add("comment", ADMIN, None, 130);
    add("snoozed", ADMIN, None, 150);
    add("timer_unsnooze", BOT, None, 250);
    add("assignment", ADMIN, Some(false), 260);
    add("comment", ADMIN, None, 300);
    add("close", ADMIN, None, 340);
    add("note", ADMIN, None, 400);
    assert_eq!(timeline.handled, [(120, Some(150)), (250, Some(260)), (300, Some(340))]);
}
