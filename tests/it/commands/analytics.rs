//! `analytics`: counts over all records of a resource.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn analytics_counts_all_rows() {
    let mirrored = Mirrored::new().await;
    let groups =
        |by: &str| mirrored.ask(&["analytics", "conversations", "--by", by])["results"]["groups"].clone();
    let sum = |groups: &Value| {
        groups.as_array().unwrap().iter().map(|group| group["count"].as_u64().unwrap()).sum::<u64>()
    };
    for by in
        ["state", "source.author.type", "created_at:week", "state,open", "custom_attributes.nothing,state"]
    {
        if by.starts_with("custom") {
            let output = mirrored.run(&["analytics", "conversations", "--by", by, "--db", "mirror.db"]);
            assert_eq!(code(&output), 2, "{}", stdout(&output));
            assert!(stderr(&output).contains("custom_attributes.nothing"));
            continue;
        }
        assert_eq!(sum(&groups(by)), 80, "{by}");
    }
    let tagged = "SELECT count(*) AS n FROM conversation_tags";
    let untagged = "SELECT count(*) AS n FROM conversations WHERE id NOT IN (SELECT conversation_id FROM conversation_tags)";
    let number = |sql: &str| mirrored.ask(&["sql", sql])["results"]["rows"][0]["n"].as_u64().unwrap();
    assert_eq!(sum(&groups("tags.tags.id")), number(tagged) + number(untagged));
}
