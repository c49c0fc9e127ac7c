//! The stamp of `generated/`: which edits make it stale.

use std::fs;
use std::path::Path;

use crate::codegen::stamp;

/// A small tree with `spec`, `codegen` and `generated`, and a stamp.
fn stamped() -> tempfile::TempDir {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("spec/intercom-2.13.yaml", "paths: {}\n"),
        ("spec/later/2.14.yaml", "paths: {}\n"),
        ("spec/README.md", "notes\n"),
        ("codegen/mod.rs", "fn generate() {}\n"),
        ("generated/client.rs", "pub struct Contact;\n"),
    ] {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    assert!(!is_current(&tree), "a tree without a stamp is not current");
    let [spec, codegen, generated] = folders(tree.path());
    let written = stamp::write(&spec, &codegen, &generated).unwrap();
    assert_eq!(written, Some(generated.join("stamp.txt")));
    tree
}

fn folders(tree: &Path) -> [std::path::PathBuf; 3] {
    ["spec", "codegen", "generated"].map(|name| tree.join(name))
}

fn is_current(tree: &tempfile::TempDir) -> bool {
    let [spec, codegen, generated] = folders(tree.path());
    stamp::is_current(&spec, &codegen, &generated)
}

#[test]
fn a_stamp_is_current_until_an_input_or_an_output_changes() {
    for (path, text) in [
        ("spec/intercom-2.13.yaml", "paths: {/me: {}}\n"),
        ("spec/later/2.14.yaml", "paths: {/me: {}}\n"),
        ("spec/later/2.15.yaml", "paths: {}\n"),
        ("codegen/mod.rs", "fn generate() { todo() }\n"),
        ("codegen/names.rs", ""),
        ("generated/client.rs", "pub struct Contact { id: u8 }\n"),
        ("generated/commands.rs", ""),
        ("generated/stamp.txt", "<<<<<<< HEAD\n"),
    ] {
        let tree = stamped();
        assert!(is_current(&tree));
        fs::write(tree.path().join(path), text).unwrap();
        assert!(!is_current(&tree), "{path}");
    }
    let tree = stamped();
    fs::rename(tree.path().join("spec/later/2.14.yaml"), tree.path().join("spec/later/2.16.yaml")).unwrap();
    assert!(!is_current(&tree), "a file has another name");
}

#[test]
fn notes_and_line_endings_do_not_count() {
    let tree = stamped();
    for (path, text) in [
        ("spec/README.md", "other notes\n"),
        ("spec/.intercom-2.13.yaml.swp", "editor"),
        ("codegen/mod.rs", "fn generate() {}\r\n"),
    ] {
        fs::write(tree.path().join(path), text).unwrap();
    }
    let path = tree.path().join("generated/stamp.txt");
    let stamp = fs::read_to_string(&path).unwrap();
    fs::write(&path, stamp.replace('\n', "\r\n")).unwrap();
    assert!(is_current(&tree));
    let [spec, codegen, generated] = folders(tree.path());
    assert_eq!(stamp::write(&spec, &codegen, &generated).unwrap(), None, "a current stamp is not written");
}

#[test]
fn the_committed_stamp_is_current() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert!(stamp::is_current(&root.join("spec"), &root.join("src/codegen"), &root.join("generated")));
}
