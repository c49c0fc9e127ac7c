//! Tokens, regions, profiles and config files, and their precedence.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::cli::{Setting, code};
use crate::support::{Server, binary, document, json, response, stderr, stdout};

#[test]
fn tokens_regions_and_config_files_are_combined() {
    let home = tempfile::tempdir().unwrap();
    let run = |environment: &[(&str, &str)], words: &[&str]| {
        binary(home.path()).envs(environment.iter().copied()).args(words).output().unwrap()
    };
    assert_eq!(code(&run(&[], &["me"])), 4, "no token");
    let bad = run(&[("INTERCOM_ACCESS_TOKEN", "two words")], &["me", "--json"]);
    assert_eq!((code(&bad), stdout(&bad)), (4, String::new()));
    assert!(!stderr(&bad).contains("two words"), "an invalid token is not shown either");
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
fn precedence_is_flag_environment_profile_file() {
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
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &[]), "https://api.intercom.io/me");
    let typed = url(&[("INTERCOM_REGION", "us")], &["--profile", "down-under"]);
    assert_eq!(typed, "https://api.au.intercom.io/me", "a typed profile counts as a flag");
    let (elsewhere, typed) = ([("INTERCOM_BASE_URL", "http://127.0.0.1:9")], ["--profile", "down-under"]);
    assert_eq!(url(&elsewhere, &typed), "https://api.au.intercom.io/me");
    std::fs::write(home.path().join("config.toml"), format!("profile = \"down-under\"\n{config}")).unwrap();
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &[]), "https://api.intercom.io/me", "one in use does not");
    assert_eq!(url(&[], &[]), "https://api.au.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_REGION", "us")], &["--region", "eu"]), "https://api.eu.intercom.io/me");
    assert_eq!(url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &[]), "http://127.0.0.1:9/me");
    assert_eq!(
        url(&[("INTERCOM_BASE_URL", "http://127.0.0.1:9")], &["--region", "au"]),
        "https://api.au.intercom.io/me"
    );
}

#[test]
fn a_token_is_stored_checked_and_removed() {
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
    let columns = "authenticated,token,token_source,token_place,read_only,read_only_set_by,base_url,region,\
                   admin_id,admin_name,workspace_id,workspace_name,";
    let csv = run(&["auth", "status", "--csv"], "");
    assert!(stdout(&csv).starts_with(columns), "scripts know the columns by position: {}", stdout(&csv));
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 0, "{}", stdout(&doctor));
    assert_eq!(code(&run(&["auth", "set-token", "wrong-token"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    let doctor = run(&["doctor", "--json"], "");
    assert_eq!(code(&doctor), 4);
    assert_eq!(
        document(&doctor)["results"]["checks"][0]["verdict"],
        "ok",
        "the other checks are still reported"
    );
    assert_eq!(code(&run(&["auth", "logout"], "")), 0);
    assert_eq!(code(&run(&["auth", "status"], "")), 4);
    assert!(!std::fs::read_to_string(path).unwrap().contains("wrong-token"));
    assert_eq!(code(&run(&["auth", "set-token", "has space"], "")), 2);
}

/// A login page also has status 200.
#[test]
fn a_server_that_is_not_intercom_is_detected() {
    for body in ["<html>Log in</html>", "null", "{}", "[1]"] {
        let setting = Setting::new(move |_| {
            if body.starts_with('<') { response(200, "text/html", body) } else { json(200, body) }
        });
        for words in [&["doctor", "--json"][..], &["auth", "status", "--json"]] {
            let output = setting.run(words);
            assert_eq!(code(&output), 5, "{words:?} {body}: {}", stdout(&output));
        }
        let checks = document(&setting.run(&["doctor", "--json"]))["results"]["checks"].take();
        let failed: Vec<&Value> =
            checks.as_array().unwrap().iter().filter(|check| check["verdict"] == "failure").collect();
        assert!(failed.len() == 1 && failed[0]["check"] == "workspace", "{checks}");
    }
}

#[test]
fn version_completions_and_man_pages_are_printed() {
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
fn doctor_finds_hidden_problems() {
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
    assert!(!text.contains("hunter2") && text.contains("contains a user name or password"), "{text}");
}

#[test]
fn a_typed_profile_overrides_the_environment() {
    let home = tempfile::tempdir().unwrap();
    let (other, staging) = (Server::always(200, r#"{"id":"1"}"#), Server::always(200, r#"{"id":"2"}"#));
    let config = format!(
        "[profiles.staging]\naccess_token = \"staging-token-1\"\nbase_url = \"{}\"\n[profiles.bare]\nregion = \"eu\"\n",
        staging.url
    );
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let run = |variable: &str, words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_CONFIG", "config.toml").env("INTERCOM_BASE_URL", &other.url);
        command.env(variable, "other-token-22").args(words).output().unwrap()
    };
    for variable in ["INTERCOM_ACCESS_TOKEN", "INTERCOM_TOKEN"] {
        let output = run(variable, &["--profile", "staging", "tags", "create", "--name", "x", "--json"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let sent = staging.take();
        assert_eq!(sent.last().unwrap().header("authorization"), Some("Bearer staging-token-1"));
        assert!(other.take().is_empty());
        for ignored in [variable, "INTERCOM_BASE_URL"] {
            assert!(stderr(&output).contains(&format!("{ignored} is ignored")), "{}", stderr(&output));
        }
        assert_eq!(stderr(&output).matches("is ignored").count(), 2, "each key is reported once");
        assert_eq!(code(&run(variable, &["profile", "use", "staging"])), 0);
        assert_eq!(code(&run(variable, &["me"])), 0);
        assert_eq!(other.take()[0].header("authorization"), Some("Bearer other-token-22"));
        assert_eq!(code(&run(variable, &["profile", "use", "--none"])), 0);
    }
    // Token and server come from the file together, whichever of them the profile sets.
    for (text, token) in [
        (
            format!("base_url = \"{}\"\n[profiles.half]\naccess_token = \"half-token-1\"\n", staging.url),
            "half-token-1",
        ),
        (
            format!("access_token = \"top-token-1\"\n[profiles.half]\nbase_url = \"{}\"\n", staging.url),
            "top-token-1",
        ),
    ] {
        std::fs::write(home.path().join("config.toml"), text).unwrap();
        let output = run("INTERCOM_ACCESS_TOKEN", &["--profile", "half", "me"]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
        let bearer = format!("Bearer {token}");
        assert_eq!(staging.take().last().unwrap().header("authorization"), Some(bearer.as_str()));
        assert!(other.take().is_empty());
        assert_eq!(stderr(&output).matches("is ignored").count(), 2, "{}", stderr(&output));
    }
    // When the file has only one of them, a warning names the mixture.
    for (text, token, warning) in [
        ("[profiles.half]\naccess_token = \"half-token-1\"\n".to_owned(), "half-token-1", "has no server"),
        (format!("[profiles.half]\nbase_url = \"{}\"\n", other.url), "other-token-22", "has no token"),
    ] {
        std::fs::write(home.path().join("config.toml"), text).unwrap();
        let output = run("INTERCOM_ACCESS_TOKEN", &["--profile", "half", "me"]);
        let bearer = format!("Bearer {token}");
        assert_eq!(other.take().last().unwrap().header("authorization"), Some(bearer.as_str()));
        assert!(stderr(&output).contains(warning), "{}", stderr(&output));
    }
    let both = |name: &str| {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", "first-token-1").env("INTERCOM_TOKEN", "second-token-2");
        command.env("INTERCOM_BASE_URL", &other.url).args([name]).output().unwrap()
    };
    both("me");
    assert_eq!(other.take()[0].header("authorization"), Some("Bearer first-token-1"));
}

#[test]
fn a_token_error_names_the_source_of_the_token() {
    let refusal =
        r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"Access Token Invalid"}]}"#;
    let (home, server) = (tempfile::tempdir().unwrap(), Server::always(401, refusal));
    let config =
        format!("[profiles.staging]\naccess_token = \"staging-token-1\"\nbase_url = \"{}\"\n", server.url);
    std::fs::write(home.path().join("config.toml"), config).unwrap();
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_CONFIG", "config.toml").env("INTERCOM_BASE_URL", &server.url);
        command.env("INTERCOM_TOKEN", "other-token-22").args(words).output().unwrap()
    };
    for words in
        [&["me"][..], &["contacts", "list"], &["contacts", "list", "--all"], &["auth", "status"], &["sync"]]
    {
        let output = run(words);
        assert_eq!(code(&output), 4, "{words:?}");
        assert!(stderr(&output).contains("INTERCOM_TOKEN"), "{words:?}: {}", stderr(&output));
        let typed = run(&[words, &["--profile", "staging"]].concat());
        assert!(
            stderr(&typed).contains("the config file (profile staging)"),
            "{words:?}: {}",
            stderr(&typed)
        );
    }
    let error: Value = serde_json::from_str(&stderr(&run(&["me", "--json"]))).unwrap();
    assert_eq!(
        (&error["error"]["token_place"], &error["error"]["http_status"]),
        (&json!("INTERCOM_TOKEN"), &json!(401))
    );
}

#[test]
fn every_command_warns_once_about_an_unknown_config_key() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.toml");
    let run = |words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_CONFIG", "config.toml").args(words).output().unwrap()
    };
    std::fs::write(&path, "regoin = \"eu\"\n[profles.x]\n[profiles.y]\nbase-url = \"http://localhost:1\"\n")
        .unwrap();
    for words in [
        &["me", "--dry-run"][..],
        &["filter", "explain", "state = open"],
        &["profile", "list"],
        &["which", "tag"],
    ] {
        let warned = stderr(&run(words));
        for (key, near) in
            [("regoin", "region"), ("profles", "profiles"), ("profiles.y.base-url", "base_url")]
        {
            let expected = format!("unknown key {key:?}; did you mean {near:?}?");
            assert_eq!(warned.matches(&expected).count(), 1, "{words:?}: {warned}");
        }
    }
    for (text, place, reason) in [
        ("region = eu\n", "line 1, column 10", "string"),
        ("region = \"us\"\naccess_token = \"abc\n", "line 2", "string"),
        ("headers = \"secret-token\"\n", "line 1", "headers: expected a table, got string"),
        ("region = \"us\"\nread_only = \"secret-token\"\n", "line 2", "read_only: expected true or false"),
        ("access_token = 5\n", "line 1, column 16", "access_token: expected text in quotes, got integer"),
        ("[profiles.p]\nheaders = { A = 1 }\n", "line 2", "profiles.p.headers.A: expected text"),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = run(&["me"]);
        assert_eq!(code(&output), 10, "{text}");
        let message = stderr(&output);
        assert!(message.contains(place) && message.contains(reason), "{text}: {message}");
        assert!(!message.contains("secret-token"), "{message}");
    }
}

#[test]
fn read_only_mode_refuses_changes_before_sending() {
    let server = Server::start(|request| match request.path.as_str() {
        "/me" => json(200, r#"{"type":"admin","id":"9","app":{"id_code":"ws1"}}"#),
        _ => json(200, r#"{"type":"list","data":[{"id":"a1","type":"contact"}],"pages":{"next":null}}"#),
    });
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("locked.toml"), "read_only = true\n").unwrap();
    std::fs::write(home.path().join("profile.toml"), "[profiles.p]\nread_only = true\n").unwrap();
    let both = "read_only = true\n[profiles.p]\nread_only = false\n";
    std::fs::write(home.path().join("both.toml"), both).unwrap();
    std::fs::write(home.path().join("people.jsonl"), "{\"email\":\"a@example.com\"}\n").unwrap();
    std::fs::write(home.path().join("job.toml"), "[[steps]]\nrun = \"tags create --name x\"\n").unwrap();
    let run = |environment: &[(&str, &str)], words: &[&str]| {
        let mut command = binary(home.path());
        command.env("INTERCOM_BASE_URL", &server.url).env("INTERCOM_ACCESS_TOKEN", "a-token-123456");
        command.envs(environment.iter().copied()).args(words).output().unwrap()
    };
    let on = [("INTERCOM_READ_ONLY", "1")];
    for words in [
        &["contacts", "create", "--email", "a@example.com"][..],
        &["contacts", "delete", "a1", "--yes"],
        &["contacts", "update", "a1", "--name", "x", "--agent"],
        &["contacts", "merge", "--from", "a", "--into", "b", "--yes"],
        &["tags", "create", "--name", "x"],
        &["api", "POST", "/tags", "--body-json", "{}"],
        &["api", "POST", "/something/search", "--body-json", "{}"],
        &["api", "PATCH", "/tags/1", "--body-json", "{}", "--yes"],
        &["conversations", "bulk-close", "1", "--apply", "--yes"],
        &["contacts", "bulk-tag", "1", "--tag", "x", "--apply"],
        &["bulk", "undo", "--resume", "--yes"],
        &["import", "contacts", "--input", "people.jsonl"],
        &["articles", "push", "--yes"],
        &["workflow", "run", "job.toml", "--yes"],
    ] {
        let output = run(&on, words);
        assert_eq!(code(&output), 2, "{words:?}: {}", stderr(&output));
        let message = stderr(&output);
        assert!(
            message.contains("read-only") && message.contains("INTERCOM_READ_ONLY"),
            "{words:?}: {message}"
        );
    }
    let create = ["contacts", "create", "--email", "a@example.com"];
    for (environment, words, set_by) in [
        (&[][..], vec!["--read-only"], "--read-only"),
        (&[("INTERCOM_CONFIG", "locked.toml")], vec![], "read_only in locked.toml"),
        (
            &[("INTERCOM_CONFIG", "locked.toml"), ("INTERCOM_READ_ONLY", "0")],
            vec![],
            "read_only in locked.toml",
        ),
        (&[("INTERCOM_CONFIG", "profile.toml")], vec!["--profile", "p"], "profile p"),
        (&[("INTERCOM_CONFIG", "both.toml")], vec!["--profile", "p"], "read_only in both.toml"),
    ] {
        let output = run(environment, &[&create[..], &words[..]].concat());
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(set_by), "{set_by}: {}", stderr(&output));
    }
    let sent = server.take();
    assert!(sent.iter().all(|request| request.method == "GET" && request.path == "/me"), "{sent:?}");
    // A misspelt read_only key was meant, so it is an error.
    for text in
        ["read-only = true\n", "READ_ONLY = true\n", "[profiles.p]\nreadonly = true\n", "raed_only = true\n"]
    {
        std::fs::write(home.path().join("misspelt.toml"), text).unwrap();
        let output = run(&[("INTERCOM_CONFIG", "misspelt.toml")], &create);
        assert_eq!(code(&output), 10, "{text}: {}", stderr(&output));
        assert!(stderr(&output).contains("did you mean \"read_only\"?"), "{}", stderr(&output));
    }
    assert!(server.take().is_empty());
    let unknown = run(&[("INTERCOM_READ_ONLY", "maybe")], &create);
    assert_eq!(code(&unknown), 2);
    assert!(server.take().is_empty());
    for words in [
        &["contacts", "list"][..],
        &["contacts", "search", "--where", "role = user"],
        &["api", "POST", "/contacts/search", "--body-json", "{}"],
        &["tags", "create", "--name", "x", "--dry-run"],
    ] {
        assert_eq!(code(&run(&on, words)), 0, "{words:?}");
    }
    let status = document(&run(&on, &["auth", "status", "--json"]))["results"].clone();
    assert_eq!(
        (&status["read_only"], &status["read_only_set_by"]),
        (&json!(true), &json!("INTERCOM_READ_ONLY"))
    );
    let checks = document(&run(&on, &["doctor", "--json"]))["results"]["checks"].to_string();
    assert!(checks.contains("read-only, set by INTERCOM_READ_ONLY"), "{checks}");
    assert_eq!(code(&run(&[], &create)), 0);
}
