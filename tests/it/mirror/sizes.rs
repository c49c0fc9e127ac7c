//! Table sizes: measured in a small file, estimated in a large one.

use intercom::mirror::{Sizes, status, status_with};

use super::*;
use crate::sandboxed::NOW;

#[tokio::test]
async fn sizes_in_a_large_file_are_estimated_without_reading_it() {
    let fixture =
        Fixture::new(Options { contacts: 400, companies: 200, conversations: 300, ..small() }).await;
    let mut store = fixture.store("one.db");
    assert!(fixture.sync(&mut store).await.complete);
    let exact = status_with(&store, NOW, Sizes::Exact).unwrap();
    assert!(status(&store, NOW).unwrap().iter().all(|one| !one.bytes_estimated));
    // Free pages count towards the size of the file.
    let filler =
        "CREATE TABLE filler (x); INSERT INTO filler VALUES (zeroblob(80000000)); DROP TABLE filler;";
    store.connection().execute_batch(filler).unwrap();
    let quick = status(&store, NOW).unwrap();
    assert_eq!(status_with(&store, NOW, Sizes::Exact).unwrap(), exact);
    for (exact, quick) in exact.iter().zip(&quick) {
        let resource = exact.resource;
        assert!(quick.bytes_estimated && !exact.bytes_estimated, "{resource}");
        assert_eq!((quick.rows, quick.state), (exact.rows, exact.state), "{resource}");
        let (measured, estimated) = (exact.bytes.unwrap() as f64, quick.bytes.unwrap() as f64);
        if exact.rows == 0 {
            assert_eq!(quick.bytes, Some(0), "{resource}");
        } else if exact.rows >= 100 {
            let factor = estimated / measured;
            assert!((0.6..1.6).contains(&factor), "{resource}: {estimated} for {measured}");
        } else {
            // A table and each of its indexes take whole pages.
            assert!(estimated < measured + 100_000.0, "{resource}: {estimated} for {measured}");
        }
    }
}
