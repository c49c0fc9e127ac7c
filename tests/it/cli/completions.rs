//! Shell completion: queried as the scripts query it, and by pressing TAB in interactive shells.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::cli::code;
use crate::support::{binary, document, stderr, stdout};
use intercom::sandbox::{Options, Sandbox, TOKEN};

/// The environment of a shell with the program in its PATH.
fn environment(home: &Path) -> Vec<(&'static str, std::ffi::OsString)> {
    let program = Path::new(env!("CARGO_BIN_EXE_intercom-pp-cli"));
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::iter::once(program.parent().unwrap().to_owned()).chain(std::env::split_paths(&folders));
    vec![
        ("PATH", std::env::join_paths(folders).unwrap()),
        ("HOME", home.into()),
        ("TERM", "dumb".into()),
        ("PS1", "$ ".into()),
        ("INPUTRC", home.join("inputrc").into()),
    ]
}

/// A home directory with profiles and the bash script; `None` without bash.
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn home_with_bash() -> Option<tempfile::TempDir> {
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("skipped: bash is not installed");
        return None;
    }
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    std::fs::create_dir_all(at(".config/intercom-pp-cli")).unwrap();
    let profiles =
        "[profiles.acme]\nregion = \"us\"\n[profiles.staging]\nbase_url = \"https://staging.example\"\n";
    std::fs::write(at(".config/intercom-pp-cli/config.toml"), profiles).unwrap();
    std::fs::write(at("other.toml"), "[profiles.lab]\nregion = \"us\"\n").unwrap();
    std::fs::write(at("people.jsonl"), "{}\n").unwrap();
    std::fs::write(
        at("inputrc"),
        "set page-completions off\nset bell-style none\nset enable-bracketed-paste off\n",
    )
    .unwrap();
    let script = binary(home.path()).args(["completions", "bash"]).output().unwrap();
    std::fs::write(at("script"), &script.stdout).unwrap();
    Some(home)
}

/// Completions of the last word, from the function that the bash script registers.
fn completed(home: &Path, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let line = format!(
        "source ./script; COMP_WORDS=(intercom-pp-cli {}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
         function=$(complete -p intercom-pp-cli | sed 's/.*-F \\([^ ]*\\).*/\\1/'); \
         $function intercom-pp-cli \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"; \
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" ")
    );
    let mut bash = Command::new("bash");
    bash.env_clear().envs(environment(home)).current_dir(home);
    let output = bash.args(["--norc", "--noprofile", "-c", &line]).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_every_word() {
    let Some(home) = home_with_bash() else { return };
    for (words, expected) in [
        (&["conv"][..], &["conversations"][..]),
        (&["conversations", "bulk-c"], &["bulk-close"]),
        (&["conversations", "bulk-close", "--app"], &["--apply"]),
        (&["contacts", "notes", "cr"], &["create"]),
        (&["conversations", "volume", "--by", ""], &["day", "hour", "channel"]),
        (&["sql", "--sch"], &["--schema"]),
        (&["contacts", "list", "--region", ""], &["us", "eu", "au"]),
        (&["contacts", "list", "--format", "t"], &["table", "toon"]),
        (&["export", "seg"], &["segments"]),
        (&["contacts", "list", "--profile", ""], &["acme", "staging"]),
        (&["--config", "other.toml", "contacts", "list", "--profile", "l"], &["lab"]),
        (&["profile", "use", "st"], &["staging"]),
        (&["import", "contacts", "--input", "peo"], &["people.jsonl"]),
        (&["contacts", "archive", "--re"], &["--read-only", "--region"]),
    ] {
        assert_eq!(completed(home.path(), words), expected, "{words:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bash_completes_names_from_the_mirror() {
    let Some(home) = home_with_bash() else { return };
    let sandbox =
        Sandbox::start(Options { conversations: 20, contacts: 10, ..Options::default() }).await.unwrap();
    let connected = || {
        let mut command = binary(home.path());
        command.env("INTERCOM_ACCESS_TOKEN", TOKEN).env("INTERCOM_BASE_URL", sandbox.base_url());
        command
    };
    assert!(connected().arg("sync").output().unwrap().status.success());
    let names = |table: &str| -> Vec<String> {
        let sql = format!("SELECT name FROM {table} ORDER BY name");
        let output = connected().args(["sql", &sql, "--json"]).output().unwrap();
        let rows = document(&output)["results"]["rows"].as_array().unwrap().clone();
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    // Without a token in the environment: only local files are read.
    let escaped =
        |names: Vec<String>| -> Vec<String> { names.iter().map(|name| name.replace(' ', "\\ ")).collect() };
    let teams = escaped(names("teams"));
    assert!(teams.len() > 1, "{teams:?}");
    assert_eq!(completed(home.path(), &["conversations", "bulk-assign", "--team", ""]), teams);
    assert_eq!(completed(home.path(), &["conversations", "bulk-tag", "--tag", ""]), escaped(names("tags")));
    let first: String = teams[0].chars().take(3).collect();
    let offered = completed(home.path(), &["conversations", "stale", "--assigned-to", &first]);
    assert!(offered.contains(&teams[0]), "{offered:?}");
    let tagging = [
        "contacts",
        "bulk-tag",
        "--where",
        "role = user",
        "--tag",
        "outage",
        "--limit",
        "1",
        "--apply",
        "--yes",
    ];
    // The limit makes it a partial success.
    connected().args(tagging).output().unwrap();
    let runs = document(&connected().args(["bulk", "runs", "--json"]).output().unwrap());
    let run = runs["results"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(completed(home.path(), &["bulk", "undo", "2"]), [run]);
}

#[test]
fn bash_completes_declared_values() {
    let Some(home) = home_with_bash() else { return };
    for (words, expected) in [
        (&["sync", "--resources", "ticket_t"][..], &["ticket_types"][..]),
        (&["sync", "--resources", "tags,ticket_t"], &["tags,ticket_types"]),
        (&["analytics", "conversations", "--by", "waiting_s"], &["waiting_since"]),
        (&["describe", "contacts", "sear"], &["search"]),
    ] {
        assert_eq!(completed(home.path(), words), expected, "{words:?}");
    }
}

/// Presses TAB in another shell, and lets it run the completed line: its output shows what was completed.
#[cfg(target_os = "linux")]
#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn tab_completes_in(shell: &str, start: &str, load: &str) {
    let Some(home) = home_with_bash() else { return };
    if Command::new(shell).arg("--version").output().is_err() {
        eprintln!("SKIPPED: {shell} is not installed, so its completion is not tested");
        return;
    }
    let script = binary(home.path()).args(["completions", shell]).output().unwrap();
    std::fs::write(home.path().join("script"), &script.stdout).unwrap();
    let mut terminal = Terminal::open(home.path(), start, load);
    terminal.press("intercom-pp-cli profile show stag\t\n");
    terminal.wait_for(&["staging.example"]);
    terminal.press("intercom-pp-cli profi\tshow acm\t --json\n");
    terminal.wait_for(&["\"region\": \"us\""]);
}

#[test]
#[cfg(target_os = "linux")]
fn tab_completes_in_zsh() {
    let load = "autoload -U compinit; compinit -u -D; source ./script";
    tab_completes_in("zsh", "zsh -f -i", load);
}

#[test]
#[cfg(target_os = "linux")]
fn tab_completes_in_fish() {
    tab_completes_in("fish", "fish --no-config -i", "source ./script");
}

/// A shell on a terminal, with the script loaded.
#[cfg(target_os = "linux")]
struct Terminal {
    shell: Child,
    keys: ChildStdin,
    screen: Arc<Mutex<String>>,
    /// Start of the output since the last keys.
    from: usize,
}

#[cfg(target_os = "linux")]
impl Terminal {
    fn open(home: &Path, start: &str, load: &str) -> Self {
        let mut command = Command::new("script");
        command.env_clear().envs(environment(home)).current_dir(home);
        command.args(["--quiet", "--flush", "--command", start, "/dev/null"]);
        let mut shell =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let (keys, mut shown) = (shell.stdin.take().unwrap(), shell.stdout.take().unwrap());
        let screen = Arc::new(Mutex::new(String::new()));
        let shared = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = shown.read(&mut bytes) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        });
        let mut terminal = Terminal { shell, keys, screen, from: 0 };
        terminal.press(&format!("{load}; echo lo''aded\n"));
        terminal.wait_for(&["loaded"]);
        terminal
    }

    fn press(&mut self, keys: &str) {
        self.from = self.screen.lock().unwrap().len();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Waits for all of these texts, and returns the screen since the last keys.
    fn wait_for(&self, expected: &[&str]) -> String {
        let started = Instant::now();
        loop {
            let shown = self.screen.lock().unwrap()[self.from..].to_owned();
            if expected.iter().all(|text| shown.contains(text)) {
                return shown;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "{expected:?} in {shown:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn tab_shows_completions_on_a_bash_screen() {
    let Some(home) = home_with_bash() else { return };
    let mut terminal = Terminal::open(home.path(), "bash --norc --noprofile -i", "source ./script");
    for (line, shown) in [
        (
            "intercom-pp-cli conversations bulk-\t\t",
            &["bulk-assign", "bulk-close", "bulk-reply-note", "bulk-snooze", "bulk-tag", "bulk-untag"][..],
        ),
        (
            "intercom-pp-cli conversations sla --group-by \t\t",
            &["team ", "admin ", "tag ", "channel ", "company "],
        ),
        // A single match is completed, with a space behind it.
        ("intercom-pp-cli sql --sch\t", &["intercom-pp-cli sql --schema "]),
        ("intercom-pp-cli contacts list --rea\t", &["list --read-only "]),
        ("intercom-pp-cli contacts list --region \t\t", &["us ", "eu ", "au"]),
        ("intercom-pp-cli tags list --format to\t", &["--format toon "]),
        ("intercom-pp-cli export conversation_p\t", &["export conversation_parts "]),
        ("intercom-pp-cli me --profile \t\t", &["acme ", "staging"]),
        ("intercom-pp-cli me --profile st\t", &["--profile staging "]),
        ("intercom-pp-cli import contacts --input peo\t", &["--input people.jsonl "]),
    ] {
        terminal.press(line);
        let screen = terminal.wait_for(shown);
        assert!(!screen.contains("--json"), "flags that fit everywhere bury the rest: {screen}");
        // Discards the line.
        terminal.press("\u{15}");
    }
}

#[test]
fn scripts_are_short_and_say_where_to_install_them() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = binary(home.path()).args(["completions", shell]).output().unwrap();
        assert_eq!(code(&output), 0, "{shell}: {}", stderr(&output));
        let script = stdout(&output);
        assert!(
            script.contains("intercom-pp-cli") && script.len() < 4_000,
            "{shell}: {} bytes",
            script.len()
        );
    }
    let help = stdout(&binary(home.path()).args(["completions", "--help"]).output().unwrap());
    for place in [
        "~/.local/share/bash-completion/completions/intercom-pp-cli",
        "_intercom-pp-cli",
        "~/.config/fish/completions/intercom-pp-cli.fish",
    ] {
        assert!(help.contains(place), "{place} in {help}");
    }
}

/// Queries as the scripts of fish and zsh do, which show descriptions beside the values.
#[test]
fn other_shells_show_descriptions() {
    let home = tempfile::tempdir().unwrap();
    for (shell, separator) in [("fish", "\t"), ("zsh", ":")] {
        let mut command = binary(home.path());
        command
            .env("INTERCOM_PP_CLI_COMPLETE", shell)
            .env("_CLAP_COMPLETE_INDEX", "2")
            .env("_CLAP_IFS", "\n");
        let output = command.args(["--", "intercom-pp-cli", "conversations", "sl"]).output().unwrap();
        let expected = format!("sla{separator}");
        assert_eq!(code(&output), 0, "{shell}: {}", stderr(&output));
        let offered = stdout(&output);
        assert!(offered.starts_with(&expected) && offered.trim().len() > 10, "{shell}: {offered}");
    }
}
