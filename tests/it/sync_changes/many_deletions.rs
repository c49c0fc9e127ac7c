//! Deletions in a mirror that is too large to check in one run.

use super::*;

#[tokio::test]
async fn tens_of_thousands_of_deletions_stay_within_the_budget_of_each_run() {
    const GONE: u64 = 31_000;
    let fixture = Fixture::new(Options { rate_limit: 10_000_000, ..small() }).await;
    let mut store = fixture.store("one.db");
    let contacts = SyncOptions {
        resources: vec![ResourceName::Contacts],
        per_page: None,
        members: false,
        ..SyncOptions::default()
    };
    assert!(fixture.sync_with(&mut store, &contacts).await.0.complete);
    let kept = count(&store, "contacts") as u64;
    let ghosts = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 31000)
                  INSERT INTO contacts (id, synced_at, raw) SELECT printf('%024x', i * 7919), 0, '{}' FROM n";
    store.connection().execute_batch(ghosts).unwrap();
    let (mut left, mut runs) = (GONE, 0);
    while left > 0 {
        let (summary, _) = fixture.sync_with(&mut store, &contacts).await;
        let outcome = &summary.resources[0];
        assert!(outcome.complete && outcome.requests <= 1_010, "{outcome:?}");
        // One request per deletion and one per page of ids; no id is requested twice.
        assert!(outcome.written.deleted >= 980.min(left), "{outcome:?}");
        left -= outcome.written.deleted;
        runs += 1;
        assert_eq!(outcome.gone, left, "after {runs} runs");
        assert_eq!(count(&store, "contacts") as u64, kept + left);
        // A thousand requests take a second, so the runs between the first two and the last two are skipped.
        if runs == 2 {
            let done = "DELETE FROM contacts WHERE raw = '{}' AND rowid NOT IN
                        (SELECT rowid FROM contacts WHERE raw = '{}' ORDER BY id DESC LIMIT 1500)";
            left -= store.connection().execute(done, []).unwrap() as u64;
        }
    }
    assert_eq!(runs, 4);
    let states = status(&store, NOW).unwrap();
    let contacts = states.iter().find(|state| state.resource == ResourceName::Contacts).unwrap();
    assert!(contacts.gone == 0 && !contacts.deletions_under_way, "{contacts:?}");
}
