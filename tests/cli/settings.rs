//! Tokens, regions, profiles and files: which setting counts.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Server, answer, binary, document, json, stderr, stdout};
use crate::{Setting, code};

#[test]
fn tokens_regions_and_config_files() {
    let home = tempfile::tempdir().unwrap();
    let run = |environment: &[(&str, &str)], words: &[&str]| {
        binary(home.path()).envs(environment.iter().copied()).args(words).output().unwrap()
    };
    assert_eq!(code(&run(&[], &["me"])), 4, "no token");
    let bad = run(&[("INTERCOM_ACCESS_TOKEN", "two words")], &["me", "--json"]);
    assert_eq!((code(&bad), stdout(&bad)), (4, String::new()));
    assert!(!stderr(&bad).contains("two words"), "not even a wrong token is shown");
    assert_eq!(code(&run(&[("INTERCOM_REGION", "mars")], &["me"])), 2);
    std::fs::write(home.path().join("broken.toml"), "access_token = \"secret-value\nregion").unwrap();
    let broken = run(&[], &["me", "--config", "broken.toml"]);
    assert_eq!(code(&broken), 10);
    assert!(!stderr(&broken).contains("secret-value"), "{}", stderr(&broken));
    assert_eq!(code(&run(&[("INTERCOM_CONFIG", "absent.toml")], &["me"])), 10);
    assert_eq!(code(&run(&[], &["me", "--config", "."])), 10, "a folder");
    std::fs::write(home.path().join("region.toml"), "region = \"mars\"").unwrap();
    assert_eq!(code(&run(&[], &["me", "--config", "region.toml"])), 10);
    assert_eq!(code(&run(&[], &["me", "--config", "region.toml", "--profile", "none"])), 10);
}

#[test]
fn flag_goes_before_environment_before_profile_before_file() {
    let home = tempfile::tempdir().unwrap();
    let config = "region = \"eu\"\n[profiles.down-under]\nregion = \"au\"\n";
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let url = |environment: &[(&str, &str)], words: &[&str]| {
        let mut command = binary(home.path());
        let command = command.env("INTERCOM_CONFIG", "config.toml").envs(environment.iter().copied());
        let output = command.args(["me", "--dry-run"]).args(words).output().unwrap();
        document(&output)["url"].as_str().unwrap().to_owned()
    };
    assert_eq!(url(&[], &[]), "https://api.eu.intercom.io/me");
    assert_eq!(url(&[], &["--profile", "down-under"]), "https://api.au.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &["--profile", "down-under"]), "https://api.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &["--region", "eu"]), "https://api.eu.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &[]), "http://127.0.0.1:9/me");
    assert_eq!(
        url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &["--region", "au"]),
        "https://api.au.intercom.io/me"
    );
}

#[test]
fn a_token_is_kept_checked_and_forgotten() {
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer good-token-123456") => {
            json(200, r#"{"type":"admin","id":"9","name":"Ann","app":{"id_code":"ws1","name":"Shop"}}"#)
        }
        _ => json(
            401,
            r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"Access Token Invalid"}]}"#,
        ),
    });
    let home = tempfile::tempdir().unwrap();
    let setting = Setting { home, server };
    let run = |words: &[&str], input: &str| {
        let mut command = binary(setting.home.path());
        command.env("INTERCOM_BASE_URL", &setting.server.url).args(words).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let output = run(&["auth", "set-token", "-"], "good-token-123456\n");
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(!stdout(&output).contains("good-token-123456"));
    let path = setting.home.path().join(".config/intercom-pp-cli/config.toml");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let status = document(&run(&["auth", "status", "--json"], ""))["results"].clone();
    assert_eq!((&status["workspace_name"], &status["token_source"]), (&json!("Shop"), &json!("config file")));
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 0, "{}", stdout(&doctor));
    assert_eq!(code(&run(&["auth", "set-token", "wrong-token"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 4);
    assert_eq!(document(&doctor)["results"]["checks"][0]["verdict"], "ok", "what was found is still told");
    assert_eq!(code(&run(&["auth", "logout"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    assert!(!std::fs::read_to_string(path).unwrap().contains("wrong-token"));
    assert_eq!(code(&run(&["auth", "set-token", "has space"], "")), 2);
}

/// A login page answers 200 as well.
#[test]
fn what_answers_is_not_taken_for_the_workspace() {
    for body in ["<html>Log in</html>", "null", "{}", "[1]"] {
        let setting = Setting::new(move |_| match body.starts_with('<') {
            true => answer(200, "text/html", body),
            false => json(200, body),
        });
        for words in [&["doctor", "--json"][..], &["auth", "status", "--json"]] {
            let output = setting.run(words);
            assert_eq!(code(&output), 5, "{words:?} {body}: {}", stdout(&output));
        }
        let checks = document(&setting.run(&["doctor", "--json"]))["results"]["checks"].take();
        let failed: Vec<&Value> =
            checks.as_array().unwrap().iter().filter(|it| it["verdict"] == "failure").collect();
        assert!(failed.len() == 1 && failed[0]["check"] == "workspace", "{checks}");
    }
}

#[test]
fn version_completions_and_manual() {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| binary(home.path()).args(words).output().unwrap();
    let version = stdout(&run(&["--version"]));
    assert!(version.contains(env!("CARGO_PKG_VERSION")) && version.contains("Intercom API"), "{version}");
    for shell in ["bash", "zsh", "fish"] {
        assert!(stdout(&run(&["completions", shell])).contains("contacts"), "{shell}");
    }
    assert!(stdout(&run(&["man"])).contains("intercom-pp-cli"));
    assert_eq!(code(&run(&["man", "--out", "pages"])), 0);
    assert!(home.path().join("pages/intercom-pp-cli-contacts-list.1").exists());
}

#[test]
fn doctor_finds_what_nobody_would_see() {
    let setting = Setting::new(|_| json(200, r#"{"type":"admin","id":"1","app":{"id_code":"ws"}}"#));
    let file = setting.home.path().join("typed.toml");
    std::fs::write(&file, "regoin = \"eu\"\n[profiles.b]\nregion = \"au\"\ntoken = \"x\"\n").unwrap();
    let checks = |more: &[&str]| {
        let output = setting.run(&[&["doctor", "--json", "--config", file.to_str().unwrap()], more].concat());
        (stdout(&output), document(&output)["results"]["checks"].clone())
    };
    let (_, found) = checks(&[]);
    assert_eq!(found[0]["verdict"], "warning", "{found}");
    assert!(
        found[0]["detail"].as_str().unwrap().ends_with("unknown keys: regoin, profiles.b.token"),
        "{found}"
    );
    let (text, _) = checks(&["--base-url", "http://user:hunter2@127.0.0.1:1"]);
    assert!(!text.contains("hunter2") && text.contains("holds a user or a password"), "{text}");
}
