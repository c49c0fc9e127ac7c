//! Timelines of made-up parts.

use super::*;

const CONTACT: Speaker = Speaker::Contact;
const ADMIN: Speaker = Speaker::Teammate;
const BOT: Speaker = Speaker::Machine;

fn told(opening: Speaker, parts: &[(&str, Speaker, bool, i64)]) -> Timeline {
    let mut timeline = Timeline::opened(opening, Some(100));
    for (part_type, by, has_text, at) in parts {
        let kind = Kind::of(part_type);
        timeline.add(&Part { kind, by: *by, has_text: *has_text, state: None, gives: None, at: *at });
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
fn the_first_person_answers() {
    let timeline = told(
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
fn words_that_come_with_an_action_answer() {
    for action in ["assignment", "assign_and_reopen", "close", "snoozed", "open"] {
        assert_eq!(first_response(&told(CONTACT, &[(action, ADMIN, true, 130)])), Some(30), "{action}");
        assert_eq!(first_response(&told(CONTACT, &[(action, ADMIN, false, 130)])), None, "{action}");
    }
    // An answer may consist of an attachment that is no longer there.
    assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, false, 130)])), Some(30));
}

#[test]
fn the_opening_of_the_team_is_no_answer_and_starts_no_clock() {
    let silent = told(ADMIN, &[("comment", ADMIN, true, 150), ("close", ADMIN, false, 160)]);
    assert_eq!(silent.first_contact_at, None);
    assert_eq!((first_response(&silent), resolution(&silent)), (None, None));

    let answered = told(
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
fn what_a_contact_does_without_words_is_no_message() {
    let rated =
        told(BOT, &[("conversation_rating_changed", CONTACT, true, 120), ("open", CONTACT, false, 130)]);
    assert_eq!(rated.first_contact_at, None);
    assert_eq!(told(BOT, &[("quick_reply", CONTACT, true, 120)]).first_contact_at, Some(120));
}

#[test]
fn the_last_close_resolves() {
    let parts = [
        ("close", ADMIN, false, 200),
        ("comment", CONTACT, true, 300),
        ("close", BOT, false, 400),
        ("note", ADMIN, true, 500),
    ];
    let timeline = told(CONTACT, &parts);
    assert_eq!(resolution(&timeline), Some(300));
    assert_eq!(timeline.reopened, 1);
    assert_eq!(told(CONTACT, &parts[..1]).reopened, 0);
}

#[test]
fn reopening_follows_the_stated_state() {
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    let part = |part_type, by, state| Part {
        kind: Kind::of(part_type),
        by,
        has_text: true,
        state: State::of(Some(state)),
        gives: None,
        at: 200,
    };
    timeline.add(&part("close", ADMIN, "closed"));
    timeline.add(&part("comment", CONTACT, "closed"));
    timeline.add(&part("note", ADMIN, "closed"));
    assert_eq!(timeline.reopened, 0, "a late thank-you that opens nothing");
    timeline.add(&part("comment", CONTACT, "open"));
    assert_eq!(timeline.reopened, 1);

    // Where the state is the one before the part, a close says open.
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    timeline.add(&part("comment", ADMIN, "open"));
    timeline.add(&part("close", ADMIN, "open"));
    assert_eq!(timeline.reopened, 0);
    timeline.add(&part("open", ADMIN, "closed"));
    assert_eq!(timeline.reopened, 1);
}

#[test]
fn parts_from_before_the_first_message_answer_nothing() {
    assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, true, 90)])), None);
    assert_eq!(first_response(&told(CONTACT, &[("comment", ADMIN, true, 100)])), Some(0));
}

#[test]
fn each_further_question_waits_for_its_answer() {
    let timeline = told(
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
fn snoozes_end_with_what_wakes_the_conversation() {
    let timeline = told(
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
fn handling_is_open_and_in_the_hands_of_a_teammate() {
    let mut timeline = Timeline::opened(CONTACT, Some(100));
    let mut happen = |part_type, by, gives, at| {
        let kind = Kind::of(part_type);
        timeline.add(&Part { kind, by, has_text: kind == Kind::Comment, state: None, gives, at });
    };
    happen("assignment", BOT, Some(true), 120);
    happen("comment", ADMIN, None, 130);
    happen("snoozed", ADMIN, None, 150);
    happen("timer_unsnooze", BOT, None, 250);
    happen("assignment", ADMIN, Some(false), 260);
    happen("comment", ADMIN, None, 300);
    happen("close", ADMIN, None, 340);
    happen("note", ADMIN, None, 400);
    assert_eq!(timeline.handled, [(120, Some(150)), (250, Some(260)), (300, Some(340))]);
}
