//! `auth login`, `list`, `switch` and `logout`: what is saved where, and what never is.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::json;

use crate::cli::code;
use crate::support::{RawResponse, Server, binary, document, json, stderr, stdout};

const REFUSAL: &str =
    r#"{"type":"error.list","errors":[{"code":"unauthorized","message":"Access Token Invalid"}]}"#;

/// A server with two workspaces: `shop-...` tokens belong to one, `bank-...` tokens to the other. The tokens of the bank
/// may not read tickets.
fn workspaces() -> Server {
    Server::start(|request| -> RawResponse {
        let token =
            request.header("authorization").unwrap_or_default().trim_start_matches("Bearer ").to_owned();
        let is_bank = token.starts_with("bank-");
        if !is_bank && !token.starts_with("shop-") {
            return json(401, REFUSAL);
        }
        match request.path.as_str() {
            "/me" if is_bank => {
                json(200, r#"{"type":"admin","id":"2","name":"Bo","app":{"id_code":"bank1","name":"Bank"}}"#)
            }
            "/me" => {
                json(200, r#"{"type":"admin","id":"1","name":"Ann","app":{"id_code":"shop1","name":"Shop"}}"#)
            }
            "/tickets/search" if is_bank => json(
                403,
                r#"{"type":"error.list","errors":[{"code":"forbidden","message":"no permission"}]}"#,
            ),
            _ => json(200, r#"{"type":"list","data":[],"total_count":0,"pages":{"next":null}}"#),
        }
    })
}

struct Machine {
    home: tempfile::TempDir,
    server: Server,
}

impl Machine {
    fn new() -> Self {
        Machine { home: tempfile::tempdir().unwrap(), server: workspaces() }
    }

    fn run(&self, words: &[&str], input: &str) -> Output {
        self.run_with(&[("INTERCOM_BASE_URL", &self.server.url)], words, input)
    }

    fn run_with(&self, environment: &[(&str, &str)], words: &[&str], input: &str) -> Output {
        let mut command = binary(self.home.path());
        command.envs(environment.iter().copied()).args(words).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A command that fails early does not read its input.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn login(&self, token: &str, flags: &[&str]) -> Output {
        self.run(&[&["auth", "login", "--with-token"], flags].concat(), &format!("{token}\n"))
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.home.path().join(CONFIG)).unwrap_or_default()
    }
}

const CONFIG: &str = ".config/intercom-pp-cli/config.toml";

fn assert_private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_login_saves_what_the_server_accepted() {
    let machine = Machine::new();
    let output = machine.login("shop-token-11111", &["--json"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let result = document(&output)["results"].clone();
    assert_eq!(
        (&result["workspace_name"], &result["admin_name"], &result["stored_in"], &result["cannot_read"]),
        (&json!("Shop"), &json!("Ann"), &json!("config file"), &json!([]))
    );
    assert_eq!(result["can_read"].as_array().map(Vec::len), Some(10), "{result}");
    assert!(!stdout(&output).contains("shop-token-11111"));
    assert_private(&machine.home.path().join(CONFIG));
    // Only reads were sent.
    let sent = machine.server.take();
    let is_read =
        |path: &str, method: &str| method == "GET" || path.ends_with("/search") || path.ends_with("/list");
    assert!(
        sent.len() == 11 && sent.iter().all(|request| is_read(&request.path, &request.method)),
        "{sent:?}"
    );
    // The server was saved with the token.
    let status = machine.run_with(&[], &["auth", "status", "--json"], "");
    let status = document(&status)["results"].clone();
    assert_eq!((&status["workspace_id"], &status["region_source"]), (&json!("shop1"), &json!("config")));
    let text = stdout(&machine.login("shop-token-11111", &["--format", "table"]));
    assert!(text.starts_with("Logged in to Shop (shop1) at http://127.0.0.1:"), "{text}");
}

#[test]
fn missing_permissions_are_named() {
    let machine = Machine::new();
    let output = machine.login("bank-token-22222", &["--json"]);
    assert_eq!(document(&output)["results"]["cannot_read"], json!(["tickets"]));
    let text = stdout(&machine.login("bank-token-22222", &["--format", "table"]));
    assert!(text.contains("The token may not read tickets (one record of each kind was read;"), "{text}");
}

#[test]
fn a_token_that_was_refused_or_not_checked_is_not_saved() {
    let machine = Machine::new();
    let refused = machine.login("other-token-333", &[]);
    assert_eq!(code(&refused), 4);
    assert!(stderr(&refused).contains("nothing was saved"), "{}", stderr(&refused));
    let nowhere = [("INTERCOM_BASE_URL", "http://127.0.0.1:1")];
    let offline = |flags: &[&str]| {
        machine.run_with(&nowhere, &[&["auth", "login", "-"], flags].concat(), "shop-token-11111")
    };
    let unreachable = offline(&[]);
    assert_eq!(code(&unreachable), 5);
    assert!(stderr(&unreachable).contains("--no-check"), "{}", stderr(&unreachable));
    for (words, input) in [
        (&["auth", "login", "shop-token-11111"][..], ""),
        (&["auth", "login"], ""),
        (&["auth", "login", "--with-token"], "two words"),
        (&["auth", "login", "--with-token", "--profile", "a b"], "shop-token-11111"),
        (&["login"], ""),
    ] {
        let output = machine.run(words, input);
        assert_eq!(code(&output), 2, "{words:?}: {}", stderr(&output));
        assert!(!stderr(&output).contains("shop-token-11111"), "{words:?}: {}", stderr(&output));
    }
    assert_eq!(machine.config(), "");
    assert_eq!(code(&offline(&["--no-check"])), 0);
    assert!(machine.config().contains("shop-token-11111"));
}

#[test]
fn the_token_of_another_workspace_is_only_replaced_with_consent() {
    let machine = Machine::new();
    assert_eq!(code(&machine.login("shop-token-11111", &[])), 0);
    assert_eq!(code(&machine.login("shop-token-99999", &[])), 0, "the same workspace");
    let refused = machine.login("bank-token-22222", &[]);
    assert_eq!(code(&refused), 2);
    let message = stderr(&refused);
    assert!(
        message.contains("Replace the token of Shop (shop1)") && message.contains("Bank (bank1)"),
        "{message}"
    );
    assert_eq!(code(&machine.login("bank-token-22222", &["--agent"])), 2, "--agent does not confirm it");
    assert!(machine.config().contains("shop-token-99999"));
    assert_eq!(code(&machine.login("bank-token-22222", &["--yes"])), 0);
    assert!(!machine.config().contains("shop-"), "{}", machine.config());
    // A token that was saved without a check is looked up first.
    assert_eq!(code(&machine.run(&["auth", "set-token", "shop-token-44444"], "")), 0);
    assert!(!machine.config().contains("Bank"), "set-token does not know the workspace");
    assert_eq!(code(&machine.login("bank-token-22222", &[])), 2);
    assert_eq!(code(&machine.login("shop-token-11111", &[])), 0);
    // A token that is no longer valid is worth nothing.
    assert_eq!(code(&machine.run(&["auth", "set-token", "old-token-55555"], "")), 0);
    assert_eq!(code(&machine.login("bank-token-22222", &[])), 0);
}

#[test]
fn profiles_keep_workspaces_apart() {
    let machine = Machine::new();
    let first = machine.login("shop-token-11111", &["--profile", "shop", "--json"]);
    assert_eq!(document(&first)["results"]["is_default"], true, "{}", stderr(&first));
    let second = machine.login("bank-token-22222", &["--profile", "bank", "--json"]);
    assert_eq!(document(&second)["results"]["is_default"], false);
    let in_use = || {
        let list = document(&machine.run(&["auth", "list", "--json"], ""));
        let profiles = list["results"]["profiles"].as_array().unwrap().clone();
        assert_eq!(profiles.len(), 2, "{list}");
        let current = profiles.into_iter().find(|profile| profile["current"] == true).unwrap();
        (current["name"].clone(), current["workspace"].clone(), current["token"].clone())
    };
    assert_eq!(in_use(), (json!("shop"), json!("Shop"), json!("config file")));
    assert_eq!(code(&machine.run(&["auth", "switch", "bank"], "")), 0);
    assert_eq!(in_use().0, "bank");
    let unnamed = machine.run(&["auth", "switch"], "");
    assert_eq!(code(&unnamed), 2);
    assert!(stderr(&unnamed).contains("expected bank, shop"), "{}", stderr(&unnamed));
    assert_eq!(code(&machine.run(&["auth", "switch", "nosuch"], "")), 10);
    let list = stdout(&machine.run(&["auth", "list", "--json"], ""));
    assert!(!list.contains("-token-"), "{list}");
    let overridden = [("INTERCOM_TOKEN", "shop-token-11111")];
    let list = document(&machine.run_with(&overridden, &["auth", "list", "--json"], ""));
    assert_eq!(list["meta"]["overridden_by"], "INTERCOM_TOKEN");
    let status = document(&machine.run(&["auth", "status", "--offline", "--json"], ""))["results"].clone();
    assert_eq!((&status["workspace_name"], &status["authenticated"]), (&json!("Bank"), &json!(null)));
    assert_eq!(status["profile"], "bank");
    let removed = stdout(&machine.run(&["auth", "logout", "--format", "table"], ""));
    assert!(removed.starts_with("Removed the token of profile bank from "), "{removed}");
    assert!(!machine.config().contains("bank-token") && machine.config().contains("shop-token"));
    let again = stdout(&machine.run(&["logout", "--format", "table"], ""));
    assert!(again.contains("nothing was removed"), "{again}");
}

/// A profile without a token uses the one at the top of the file, which must not be called its own.
#[test]
fn an_inherited_token_is_not_called_that_of_the_profile() {
    let machine = Machine::new();
    assert_eq!(code(&machine.login("shop-token-11111", &[])), 0);
    assert_eq!(code(&machine.login("bank-token-22222", &["--profile", "bank"])), 0);
    let place = |words: &[&str]| {
        document(&machine.run(&[&["auth", "status", "--json"], words].concat(), ""))["results"]["token_place"]
            .clone()
    };
    let again = machine.login("shop-token-11111", &["--json"]);
    assert_eq!(document(&again)["results"]["is_default"], true);
    assert_eq!(code(&machine.run(&["auth", "switch", "bank"], "")), 0);
    assert_eq!(place(&[]), "the config file (profile bank)");
    let second = document(&machine.login("bank-token-22222", &["--json"]));
    assert_eq!(
        (&second["results"]["is_default"], &second["results"]["profile"]),
        (&json!(true), &json!("bank"))
    );
    let removed = stdout(&machine.run(&["auth", "logout", "--format", "table"], ""));
    assert!(removed.contains("now uses the token at the top of the file"), "{removed}");
    assert_eq!(
        (place(&[]), place(&["--profile", "bank"])),
        (json!("the config file"), json!("the config file"))
    );
}

/// Such a profile would never use the token that was saved.
#[test]
fn a_profile_with_its_token_in_a_variable_is_left_alone() {
    let machine = Machine::new();
    assert_eq!(code(&machine.run(&["profile", "save", "ci", "--token-env", "CI_TOKEN"], "")), 0);
    let output = machine.login("shop-token-11111", &["--profile", "ci"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("CI_TOKEN"), "{}", stderr(&output));
    assert!(!machine.config().contains("shop-token"));
}

#[test]
fn a_new_region_of_the_default_settings_is_reported_to_profiles_that_share_it() {
    let machine = Machine::new();
    let config = machine.home.path().join(CONFIG);
    std::fs::create_dir_all(config.parent().unwrap()).unwrap();
    std::fs::write(&config, "[profiles.old]\naccess_token = \"shop-token-77777\"\n").unwrap();
    let output = machine.login("shop-token-11111", &["--no-check", "--region", "eu"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    assert!(stderr(&output).contains("now use this one: old"), "{}", stderr(&output));
    assert!(machine.config().contains("region = \"eu\""), "{}", machine.config());
}

#[test]
fn a_refused_token_is_explained_by_its_source() {
    let machine = Machine::new();
    let url = machine.server.url.as_str();
    let with = |variable, words: &[&str]| {
        machine.run_with(&[("INTERCOM_BASE_URL", url), (variable, "wrong-token-666")], words, "")
    };
    for words in
        [&["me"][..], &["contacts", "list", "--all"], &["auth", "status"], &["api", "me"], &["whoami"]]
    {
        let message = stderr(&with("INTERCOM_ACCESS_TOKEN", words));
        assert!(message.contains("the token from INTERCOM_ACCESS_TOKEN was refused"), "{words:?}: {message}");
        assert!(message.contains("set INTERCOM_ACCESS_TOKEN to a valid token"), "{words:?}: {message}");
    }
    let message = stderr(&with("INTERCOM_TOKEN", &["me"]));
    assert!(message.contains("the token from INTERCOM_TOKEN was refused"), "{message}");
    assert_eq!(code(&machine.login("bank-token-22222", &["--profile", "bank"])), 0);
    let forbidden = machine.run(&["tickets", "search", "--where", "open = true", "--profile", "bank"], "");
    assert_eq!(code(&forbidden), 4);
    let message = stderr(&forbidden);
    assert!(
        message.contains("the token from the config file (profile bank) lacks a permission"),
        "{message}"
    );
    assert_eq!(code(&machine.run(&["auth", "set-token", "wrong-token-666", "--profile", "bank"], "")), 0);
    let message = stderr(&machine.run(&["me", "--profile", "bank"], ""));
    assert!(message.contains("intercom-pp-cli auth login --profile bank"), "{message}");
    let nothing = stderr(&Machine::new().run(&["me"], ""));
    assert!(
        nothing.contains("no access token is set") && nothing.contains("intercom-pp-cli auth login"),
        "{nothing}"
    );
}

#[test]
fn words_of_other_tools_lead_to_a_command() {
    let home = tempfile::tempdir().unwrap();
    let run = |words: &[&str]| binary(home.path()).args(words).output().unwrap();
    assert_eq!(stdout(&run(&["version"])), stdout(&run(&["--version"])));
    for (word, expected) in [("config", "auth status"), ("upgrade", "--version"), ("init", "auth login")] {
        let output = run(&[word]);
        assert_eq!(code(&output), 2, "{word}");
        assert!(
            stderr(&output).contains(&format!("intercom-pp-cli {expected}")),
            "{word}: {}",
            stderr(&output)
        );
    }
    let help = stdout(&run(&["login", "--help"]));
    assert!(help.contains("--with-token"), "{help}");
    let listed = stdout(&run(&["--help"]));
    assert!(!listed.contains("whoami") && !listed.contains("\n  login"), "aliases are hidden: {listed}");
}
