//! `demo` on a terminal: it offers to keep the sandbox running.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use intercom::sandbox::TOKEN;

use crate::support::{binary, stderr};

/// The demo on a terminal of 80 columns.
fn demo(home: &Path) -> Child {
    let line = format!("stty cols 80 rows 24; {} demo", env!("CARGO_BIN_EXE_intercom-pp-cli"));
    Command::new("script")
        .env_clear()
        .envs([("HOME", home.to_str().unwrap()), ("PATH", "/usr/bin:/bin"), ("TERM", "xterm")])
        .args(["--quiet", "--return", "--flush", "--command", &line, "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test needs `script` of util-linux")
}

#[test]
fn the_sandbox_keeps_running_until_interrupted() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = demo(home.path());
    let mut keyboard = demo.stdin.take().unwrap();
    keyboard.write_all(b"y\n").unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map_while(Result::ok);
    let url =
        lines.find_map(|line| Some(line.trim().split_once("INTERCOM_BASE_URL=")?.1.to_owned())).unwrap();
    // The commands that it suggests follow, and find something.
    let rest = lines.by_ref().map(|line| line.trim().to_owned());
    let suggested: Vec<String> =
        rest.skip_while(|line| !line.starts_with("intercom-pp-cli")).take(4).collect();
    assert_eq!(suggested.first().map(String::as_str), Some("intercom-pp-cli sync"), "{suggested:?}");
    for command in &suggested {
        let words = shlex::split(command).unwrap();
        let output = binary(home.path())
            .args(&words[1..])
            .envs([("INTERCOM_BASE_URL", url.as_str()), ("INTERCOM_ACCESS_TOKEN", TOKEN)])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{command}: {}", stderr(&output));
        assert!(output.stdout.len() > 300, "{command} finds nothing");
    }
    keyboard.write_all(b"\x03").unwrap();
    lines.by_ref().for_each(drop);
    // The exit code of an interrupted program.
    assert_eq!(demo.wait().unwrap().code(), Some(130));
}

#[test]
fn a_declined_offer_ends_the_demo() {
    let home = tempfile::tempdir().unwrap();
    let mut demo = demo(home.path());
    let mut keyboard = demo.stdin.take().unwrap();
    keyboard.write_all(b"n\n").unwrap();
    let output = demo.wait_with_output().unwrap();
    drop(keyboard);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("Keep the sandbox running"), "{text}");
    assert!(!text.contains("INTERCOM_BASE_URL"), "{text}");
}
