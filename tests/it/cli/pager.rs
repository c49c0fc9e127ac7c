//! The pager: what it gets, when it starts, and what happens when the reader leaves early.

use std::path::PathBuf;

use intercom::sandbox::{Options, Sandbox, TOKEN};
use serde_json::json;

use super::Setting;
use super::lists::three_pages;
use crate::support::against;
use crate::support::json as answer;
use crate::support::terminal::{Screen, on_terminal};

/// A list of 40 contacts, of which there are more.
fn forty() -> Setting {
    let contacts: Vec<_> = (0..40)
        .map(|n| json!({"type": "contact", "id": format!("c{n}"), "name": format!("Person {n}"), "role": "user"}))
        .collect();
    let list = json!({"type": "list", "data": contacts, "total_count": 900, "pages": {"next": {"starting_after": "x"}}});
    let list = list.to_string();
    Setting::new(move |_| answer(200, &list))
}

/// A pager that runs these shell commands.
fn pager(setting: &Setting, commands: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = setting.home.path().join("pager");
    std::fs::write(&path, format!("#!/bin/sh\n{commands}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn shown(setting: &Setting, words: &[&str], environment: &[(&str, &str)]) -> Screen {
    let mut command = against(setting.home.path(), &setting.server.url);
    command.args(words).envs(environment.iter().copied());
    on_terminal(&command, 80, 24, "")
}

const NOTE: &str = "showing 40 of 900; --all or --limit N for more\n";

#[test]
fn long_output_goes_to_the_pager_in_colour_and_notes_follow() {
    let setting = forty();
    let path = pager(&setting, "cat > seen; echo \"LESS=$LESS\" >> seen; echo the pager ends");
    let path = path.to_str().unwrap();
    for (name, value) in [("INTERCOM_PAGER", path), ("PAGER", path)] {
        let screen = shown(&setting, &["contacts", "list"], &[(name, value)]);
        assert_eq!(screen.code, 0, "{}", screen.text);
        let seen = std::fs::read_to_string(setting.home.path().join("seen")).unwrap();
        assert!(seen.contains("\u{1b}[1mID\u{1b}[0m") && seen.contains("Person 39"), "{seen}");
        assert!(seen.ends_with("LESS=FRX\n"), "{seen}");
        assert_eq!(screen.text, format!("the pager ends\n{NOTE}"), "{name}");
    }
    let path = format!("{path} -with arguments");
    let both = [("INTERCOM_PAGER", path.as_str()), ("PAGER", "false")];
    let screen = shown(&setting, &["contacts", "list", "--json"], &both);
    assert_eq!((screen.code, screen.text.as_str()), (0, "the pager ends\n"));
    let seen = std::fs::read_to_string(setting.home.path().join("seen")).unwrap();
    assert!(seen.contains("\u{1b}[36m\"name\"\u{1b}[0m: \u{1b}[32m\"Person 3\"\u{1b}[0m,\n"), "{seen}");
}

#[test]
fn output_is_printed_where_a_pager_would_be_in_the_way() {
    let setting = forty();
    let path = pager(&setting, "cat > /dev/null; echo the pager ran");
    let path = path.to_str().unwrap();
    type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)]);
    let cases: [Case; 6] = [
        (&["--no-pager"], &[("PAGER", path)]),
        (&["--limit", "5"], &[("PAGER", path)]),
        (&[], &[("PAGER", path), ("INTERCOM_PAGER", "")]),
        (&[], &[("PAGER", "cat")]),
        (&[], &[("PAGER", path), ("TERM", "dumb")]),
        (&[], &[("PAGER", "/nowhere/pager")]),
    ];
    for (words, environment) in cases {
        let screen = shown(&setting, &[&["contacts", "list"], words].concat(), environment);
        let text = screen.plain();
        assert!(screen.code == 0 && text.contains("Person 4"), "{words:?} {environment:?}: {text}");
        assert!(!text.contains("the pager ran"), "{words:?} {environment:?}: {text}");
    }
    let piped = setting.run(&["contacts", "list", "--human-friendly"]);
    assert!(crate::support::stdout(&piped).contains("Person 39"));
}

#[test]
fn leaving_the_pager_early_ends_the_command_with_success() {
    let setting = forty();
    let path = pager(&setting, "head -n 1 > /dev/null");
    let screen = shown(&setting, &["contacts", "list"], &[("PAGER", path.to_str().unwrap())]);
    assert_eq!((screen.code, screen.text.as_str()), (0, NOTE));
    let endless = Setting::new(|request| match request.query("starting_after") {
        Some("2") => {
            // Time for the pager to end.
            std::thread::sleep(std::time::Duration::from_millis(300));
            three_pages(request)
        }
        _ => three_pages(request),
    });
    let path = pager(&endless, "exit 0");
    let mut command = against(endless.home.path(), &endless.server.url);
    command.args(["contacts", "list", "--all", "--json"]).env("PAGER", path);
    let screen = on_terminal(&command, 80, 5, "");
    assert_eq!((screen.code, screen.text.as_str()), (0, ""));
    assert!(endless.server.take().len() < 3, "no page is fetched that nobody reads");
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_output_is_never_paged() {
    let few = Options {
        contacts: 5,
        companies: 1,
        conversations: 3,
        tickets: 1,
        articles: 1,
        ..Options::default()
    };
    let sandbox = Sandbox::start(few).await.unwrap();
    let setting = Setting::new(|_| answer(200, "{}"));
    let path = pager(&setting, "cat > /dev/null; echo the pager ran");
    let program = env!("CARGO_BIN_EXE_intercom-pp-cli");
    let mut command = std::process::Command::new("timeout");
    command.args([
        "--foreground",
        "--signal=INT",
        "8",
        program,
        "sync",
        "--watch",
        "1s",
        "--format",
        "table",
    ]);
    command.current_dir(setting.home.path()).env("HOME", setting.home.path()).env("PAGER", path);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("INTERCOM_BASE_URL", sandbox.base_url()).env("INTERCOM_ACCESS_TOKEN", TOKEN);
    let text = on_terminal(&command, 80, 3, "").plain();
    assert!(text.contains("contacts") && !text.contains("the pager ran"), "{text}");
}
