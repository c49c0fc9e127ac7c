//! `sla` on the golden workspace.

use intercom::report::business_hours::{Schedule, zone};
use intercom::report::sla::{GroupBy, Metric, PeriodAnchor, Resolution, SlaOptions, explain, reconcile, sla};
use intercom::report::timeline_cache::{self, Start};
use serde_json::{Value, json};

use super::cases::{self, DST};
use super::{AS_OF, DAY, Golden, HOUR, at, keep};

fn options() -> SlaOptions {
    SlaOptions { group_by: GroupBy::None, min_samples: 1, ..SlaOptions::default() }
}

#[test]
fn every_conversation_is_counted_correctly() {
    let golden = Golden::new();
    let store = golden.open();
    for case in cases::all() {
        let found = explain(&store, case.id, &options(), AS_OF).unwrap().unwrap();
        let sample = |metric: Metric| {
            let samples = found.samples.iter().find(|(name, _)| *name == metric.column());
            samples.unwrap().1.first().map(|seconds| seconds / 60)
        };
        let actual =
            (found.counted, sample(Metric::FirstResponse), sample(Metric::Resolution), found.reopened);
        let expected = (case.counted, case.first, case.resolution, case.reopened);
        assert_eq!(actual, expected, "{}: {}\n{:#?}", case.id, case.trap, found.steps);
        assert_eq!(found.closed, case.state == "closed", "{}", case.id);
    }
}

/// 29 conversations, of which 301 is excluded: 28. 107 and 108 have no reply: 26 answered. Closed: 104, 108, 201,
/// 203, 204, 205, 206, 302, 402, 403 and 407: 11. Reopened: 106, 201, 202 and 302: 4. Snoozed: 105. Truncated: 407,
/// which leaves 25 samples of the first response, in minutes:
///   8 10 12 15 15 16 18 20 22 25 30 30 [30] 30 30 33 35 40 45 50 55 60 [70] 3885 (205) 3900 (408)
#[test]
fn the_totals_are_correct() {
    let golden = Golden::new();
    let figures = sla(&golden.open(), &options()).unwrap().total.figures;
    let mut samples: Vec<i64> = cases::all().iter().filter_map(|case| case.first).collect();
    samples.sort_unstable();
    // Nearest rank: of 25 the 13th, and the 23rd (22.5 rounded up).
    assert_eq!(samples.len(), 25, "{samples:?}");
    let all = cases::all();
    let count = |test: fn(&cases::Case) -> bool| all.iter().filter(|case| test(case)).count() as u64;
    assert_eq!(figures.conversations, 28);
    assert_eq!((figures.answered, figures.unanswered), (26, 2));
    assert_eq!((figures.closed, figures.open, figures.snoozed), (11, 17, 1));
    assert_eq!((figures.reopened, figures.excluded, figures.truncated), (4, 1, 1));
    assert_eq!(count(|case| case.counted == "excluded"), 1);
    let first = figures.of(Metric::FirstResponse).unwrap();
    assert_eq!((first.n, first.p50, first.p90), (25, Some(samples[12] as f64), Some(samples[22] as f64)));
    assert_eq!((first.p50, first.p90), (Some(30.0), Some(70.0)));
    // Resolved: 104 1h, 108 2h, 201 5h, 203 26h, 204 20min, 205 65.5h, 206 24min, 302 5h, 402 1.5h, 403 44min,
    // 407 11h40. In order: 0.333 0.4 0.733 1 1.5 [2] 5 5 11.667 [26] 65.5; the 6th and the 10th of 11.
    let solved = figures.of(Metric::Resolution).unwrap();
    assert_eq!((solved.n, solved.p50, solved.p90), (11, Some(2.0), Some(26.0)));
}

#[test]
fn targets_count_open_conversations_past_them() {
    let golden = Golden::new();
    let found = golden.json(&[
        "conversations",
        "sla",
        "--group-by",
        "none",
        "--target",
        "first-response=30m,resolution=24h",
    ]);
    let row = &found["results"][0];
    // Within 30 minutes: 101 30, 103 20, 105 15, 110 25, 201 30, 202 30, 203 30, 204 10, 206 12, 302 30, 305 8,
    // 402 15, 403 22, 404 16, 406 18: 15 of 25. 107 is open and waits for two weeks: 15 of 26.
    assert_eq!(row["first_response_breached"], 1);
    assert_eq!(row["first_response_target_met_pct"], json!(57.7));
    // Of 11 resolved 9 within a day. Open and older than that are the 17 open ones: 9 of 28.
    assert_eq!(row["resolution_breached"], 17);
    assert_eq!(row["resolution_target_met_pct"], json!(32.1));
    assert_eq!(row["breached"], 17);
    let none = golden.json(&["conversations", "sla", "--group-by", "none"]);
    assert_eq!(none["results"][0]["first_response_target_met_pct"], Value::Null);
    assert_eq!(none["results"][0]["breached"], Value::Null);
}

fn berlin() -> Schedule {
    let nine_to_five = ["09:00-17:00".to_owned()];
    let days: [&[String]; 7] = std::array::from_fn(|day| if day < 5 { &nine_to_five[..] } else { &[] });
    Schedule::new(zone("Europe/Berlin").unwrap(), days, &[]).unwrap()
}

#[test]
fn business_hours_exclude_nights_weekends_and_the_clock_change() {
    let golden = Golden::new();
    let store = golden.open();
    let options = SlaOptions { business_hours: Some(berlin()), ..options() };
    let first = |id: &str| {
        let found = explain(&store, id, &options, AS_OF).unwrap().unwrap();
        found.samples[0].1.first().map(|seconds| seconds / 60)
    };
    // Friday 16:30 to 17:00, Monday 9:00 to 9:15.
    assert_eq!(first("205"), Some(45));
    // Friday 16:00 to 17:00, Monday 9:00 to 10:00, whatever the clocks did on Sunday.
    assert_eq!(first("408"), Some(120));
    // Within one day both are the same.
    assert_eq!(first("101"), Some(30));
    assert_eq!(at(DST), 1_774_623_600);
}

#[test]
fn snoozed_time_can_be_excluded() {
    let golden = Golden::new();
    let options = SlaOptions { without_snoozed: true, ..options() };
    let found = explain(&golden.open(), "203", &options, AS_OF).unwrap().unwrap();
    assert_eq!(found.samples, [("first_response", vec![30 * 60]), ("resolution", vec![120 * 60])]);
}

#[test]
fn the_first_close_can_count_as_the_resolution() {
    let golden = Golden::new();
    let options = SlaOptions { resolution: Resolution::FirstClose, ..options() };
    let store = golden.open();
    let minutes = |id| explain(&store, id, &options, AS_OF).unwrap().unwrap().samples[1].1.clone();
    assert_eq!(minutes("201"), [60 * 60]);
    assert_eq!(minutes("202"), [60 * 60], "open now, but closed once");
    assert_eq!(minutes("302"), [300 * 60], "a close before the first customer message does not count");
}

#[test]
fn next_response_and_handle_time_are_measured() {
    let golden = Golden::new();
    let mut store = golden.open();
    let parts = [
        ("comment", cases::By::Admin(7), "Hi", 10),
        ("comment", cases::By::User("c1"), "And?", 20),
        ("comment", cases::By::User("c1"), "Hello?", 40),
        ("comment", cases::By::Admin(7), "That", 50),
        ("snoozed", cases::By::Admin(7), "", 60),
        ("comment", cases::By::User("c1"), "Thanks", 100),
        ("close", cases::By::Admin(7), "", 130),
    ];
    let template = cases::all().remove(0);
    let case = cases::Case { id: "501", parts: parts.to_vec(), state: "closed", ..template };
    keep(&mut store, &case.document());
    let options = SlaOptions { metrics: Metric::ALL.to_vec(), ..options() };
    let found = explain(&store, "501", &options, AS_OF).unwrap().unwrap();
    // The message of minute 20 waits until 50; that of 100 was closed without a reply. Handled by the teammate
    // from 10 to 60 and from 100 to 130.
    let minutes: Vec<(&str, Vec<i64>)> = found
        .samples
        .iter()
        .map(|(name, seconds)| (*name, seconds.iter().map(|duration| duration / 60).collect()))
        .collect();
    assert_eq!(
        minutes,
        [
            ("first_response", vec![10]),
            ("resolution", vec![130]),
            ("next_response", vec![30]),
            ("handle", vec![80])
        ]
    );
}

/// The reply of minute 50 has no `created_at`, only `updated_at`. It is sorted after the message of the same
/// minute, whose id is lower.
#[test]
fn a_part_without_created_at_keeps_its_order() {
    let golden = Golden::new();
    let mut store = golden.open();
    let parts = [
        ("comment", cases::By::Admin(7), "Hi", 10),
        ("comment", cases::By::User("c1"), "And?", 50),
        ("comment", cases::By::Admin(7), "That", 50),
    ];
    let template = cases::all().remove(0);
    let case = cases::Case { id: "502", parts: parts.to_vec(), state: "open", ..template };
    let mut document = case.document();
    document["conversation_parts"]["conversation_parts"][2]["created_at"] = Value::Null;
    keep(&mut store, &document);
    let options = SlaOptions { metrics: Metric::ALL.to_vec(), ..options() };
    let found = explain(&store, "502", &options, AS_OF).unwrap().unwrap();
    let next = found.samples.iter().find(|(name, _)| *name == "next_response").unwrap();
    assert_eq!(next.1, [0], "{:#?}", found.steps);
    let stale = golden.json(&["conversations", "stale", "--idle", "7d"]);
    let rows = stale["results"].as_array().unwrap();
    assert_eq!(rows.iter().find(|row| row["id"] == "502").unwrap()["last_message_by"], "teammate");
}

#[test]
fn periods_select_by_start_reply_or_close() {
    let golden = Golden::new();
    let store = golden.open();
    let count = |by, since, until| {
        let options = SlaOptions { by, since: Some(at(since)), until: Some(at(until)), ..options() };
        let figures = sla(&store, &options).unwrap().total.figures;
        (figures.conversations, figures.excluded)
    };
    // Started in the first minute: all but 205 and 408, and 302 and 303, which customers answered later.
    assert_eq!(count(PeriodAnchor::Start, 0, 1), (24, 1));
    let created = SlaOptions {
        start: Start::Created,
        by: PeriodAnchor::Start,
        since: Some(at(0)),
        until: Some(at(1)),
        ..options()
    };
    let figures = sla(&store, &created).unwrap().total.figures;
    assert_eq!((figures.conversations, figures.excluded), (26, 1));
    // First reply on the following Monday: only 205.
    assert_eq!(count(PeriodAnchor::Reply, 7 * DAY, 8 * DAY), (1, 0));
    // Closed on the second day: 203.
    assert_eq!(count(PeriodAnchor::Close, DAY, 2 * DAY), (1, 0));
    // The outbound conversation was closed at 200, so that hour excludes it; 201 was last closed at 300.
    assert_eq!(count(PeriodAnchor::Close, 3 * HOUR, 4 * HOUR), (0, 1));
    let week = golden.json(&[
        "conversations",
        "sla",
        "--group-by",
        "none",
        "--week",
        "2026-W20",
        "--timezone",
        "Europe/Berlin",
    ]);
    assert_eq!(week["results"][0]["conversations"], 27);
    assert_eq!(week["meta"]["since"], 1_778_450_400, "Monday, 00:00 in Berlin");
    let before = golden.json(&["conversations", "sla", "--group-by", "none", "--week", "2026-W13"]);
    assert_eq!(before["results"][0]["conversations"], 1);
}

#[test]
fn groups_have_names_and_ids() {
    let golden = Golden::new();
    let teams = golden.json(&["conversations", "sla", "--min-samples", "1"]);
    let names: Vec<&str> =
        teams["results"].as_array().unwrap().iter().map(|row| row["team"].as_str().unwrap()).collect();
    assert_eq!(names, ["<script>", "Support", "(none)"]);
    assert_eq!(teams["results"][0]["team_id"], "20");
    assert_eq!(teams["results"][0]["first_response_p50_minutes"], 35.0);
    let admins = golden.json(&["conversations", "sla", "--group-by", "admin", "--min-samples", "1"]);
    let gone = admins["results"].as_array().unwrap().iter().find(|row| row["admin_id"] == "99").unwrap();
    assert_eq!(gone["admin"], "Former Colleague");
    assert_eq!(gone["first_response_p50_minutes"], 70.0);
    let sorted = golden.json(&["conversations", "sla", "--sort", "-conversations", "--limit", "1"]);
    assert_eq!(sorted["results"][0]["team"], "Support");
    assert_eq!((&sorted["meta"]["groups"], &sorted["meta"]["has_more"]), (&json!(3), &json!(true)));
    let selected = golden.json(&[
        "conversations",
        "sla",
        "--select",
        "team,first_response_p50_minutes,resolution_p90_hours",
    ]);
    assert_eq!(selected["results"][0].as_object().unwrap().len(), 3);
    let agent = golden.json(&["conversations", "sla", "--agent"]);
    assert!(agent["results"][1]["first_response_n"].as_u64().unwrap() > 20);
}

#[test]
fn few_samples_give_null_and_their_number() {
    let golden = Golden::new();
    let row = golden.json(&["conversations", "sla"])["results"][0].clone();
    assert_eq!((&row["first_response_p50_minutes"], &row["first_response_n"]), (&Value::Null, &json!(1)));
}

#[test]
fn invalid_values_list_the_valid_ones() {
    let golden = Golden::new();
    for (words, expected) in [
        (&["--group-by", "country"][..], "company"),
        (&["--metric", "happiness"], "next-response"),
        (&["--timezone", "Europe/Berln"], "Europe/Berlin"),
        (&["--week", "2026-W60"], "2026-W20"),
        (&["--target", "first=1h"], "first-response"),
        (&["--target", "resolution=soon"], "METRIC=TIME"),
        (&["--sort", "speed"], "resolution_p90_hours"),
        (&["--hours", "office"], "[office_hours]"),
        (&["--since", "2026-05-20", "--until", "2026-05-10"], "--until must be later"),
        (&["--since", "2026-05-20", "--until", "2026-05-20"], "--until must be later"),
    ] {
        let (code, message) = golden.fails(&[&["conversations", "sla"], words].concat());
        assert_eq!(code, 2, "{words:?}: {message}");
        assert!(message.contains(expected), "{words:?}: {message}");
    }
}

#[test]
fn stored_timelines_follow_every_change() {
    let golden = Golden::new();
    let store = golden.open();
    let total = || sla(&store, &options()).unwrap().total;
    let worked_out = total();
    assert_eq!(timeline_cache::refresh(&store).unwrap(), 29);
    assert!(timeline_cache::is_stored(&store).unwrap());
    assert_eq!(total(), worked_out);
    let change = |sql: &str| {
        timeline_cache::refresh(&store).unwrap();
        store.connection().execute_batch(sql).unwrap();
        let stored = total();
        store.connection().execute_batch("DELETE FROM conversation_timelines").unwrap();
        assert_eq!(stored, total(), "{sql}");
        stored.figures
    };
    let unanswered = change("DELETE FROM conversation_parts WHERE conversation_id = '101'");
    assert_eq!(unanswered.unanswered, 3);
    assert_eq!(change("UPDATE conversations SET state = 'closed' WHERE id = '101'").closed, 12);
    assert_eq!(
        change("UPDATE conversation_parts SET written_by = 'bot' WHERE conversation_id = '401'").unanswered,
        4
    );
    assert_eq!(
        change("UPDATE conversation_parts_state SET truncated = 1 WHERE conversation_id = '402'").truncated,
        2
    );
    assert_eq!(change("DELETE FROM conversations WHERE id = '101'").conversations, 27);
    assert_eq!(
        change("DELETE FROM conversation_parts_state WHERE conversation_id = '102'").conversations,
        26
    );
}

#[test]
fn reconcile_explains_differences_from_intercoms_statistics() {
    let golden = Golden::new();
    let mut store = golden.open();
    let state = |id: &str, statistics: Value| {
        let mut document = cases::all().into_iter().find(|case| case.id == id).unwrap().document();
        document["statistics"] = statistics;
        document["updated_at"] = json!(AS_OF);
        document
    };
    // Intercom counts the bot's message of minute 1 as the reply; 104 agrees in everything.
    let differing = state("102", json!({"first_admin_reply_at": at(1), "time_to_admin_reply": 60}));
    let agreeing = state(
        "104",
        json!({"first_admin_reply_at": at(60), "first_close_at": at(60).to_string(), "last_close_at": at(60)}),
    );
    keep(&mut store, &differing);
    keep(&mut store, &agreeing);
    let found = reconcile(&store, &options()).unwrap();
    assert_eq!((found.compared, found.without_statistics), (28, 0));
    let of = |id: &str| {
        found.differences.iter().filter(|difference| difference.conversation_id == id).collect::<Vec<_>>()
    };
    assert!(of("104").is_empty());
    assert_eq!(of("102")[0].reason, "theirs was written by a bot or an AI agent");
    assert_eq!(of("102")[0].seconds, Some(44 * 60));
    let limited = golden.json(&["conversations", "sla", "--reconcile", "--limit", "3"]);
    assert_eq!(limited["results"].as_array().unwrap().len(), 3);
    assert_eq!(limited["meta"]["has_more"], true);
}
