//! Takes the vendor's OpenAPI file and leaves a tree that speaks its version:
//! `cargo run --example update-spec -- path/to/vendor.yaml`. See `spec/README.md`.

#[path = "../src/codegen/mod.rs"]
#[allow(dead_code, reason = "build.rs uses the rest")]
mod codegen;

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let vendor = std::env::args().nth(1).ok_or("usage: update-spec <vendor's OpenAPI file>")?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let spec = root.join("spec");
    let (version, facts) = codegen::distill::distill(&fs::read_to_string(&vendor)?)?;
    if let Ok(previous) = codegen::description_path(&spec) {
        fs::remove_file(previous)?;
    }
    let path = spec.join(format!("intercom-{version}.yaml"));
    fs::write(&path, facts)?;
    println!("wrote {}", path.display());
    for changed in codegen::generate(&spec, &root.join("generated"))? {
        println!("wrote {}", changed.display());
    }
    Ok(())
}
