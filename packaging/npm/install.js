// Downloads the archive of this platform and unpacks its binaries beside this file. Must never install an archive whose
// checksum differs from the one in this package.
"use strict";

const { createHash } = require("node:crypto");
const { execFileSync } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");

const { repository, archives } = require("./checksums.json");
const { version } = require("./package.json");

const TARGETS = {
  "linux-x64": "x86_64-unknown-linux-musl",
  "linux-arm64": "aarch64-unknown-linux-gnu",
  "darwin-x64": "x86_64-apple-darwin",
  "darwin-arm64": "aarch64-apple-darwin",
  "win32-x64": "x86_64-pc-windows-msvc",
};

function archiveName() {
  const platform = `${process.platform}-${process.arch}`;
  const target = TARGETS[platform];
  const candidates = [target, target && target.replace("-musl", "-gnu")].filter(Boolean);
  for (const candidate of candidates) {
    const extension = process.platform === "win32" ? "zip" : "tar.gz";
    const name = `intercom-pp-cli-${version}-${candidate}.${extension}`;
    if (archives[name]) return name;
  }
  throw new Error(`no archive for ${platform}; build from source: cargo install --path . --locked`);
}

async function download(name) {
  const local = process.env.INTERCOM_PP_CLI_ARCHIVE;
  if (local) return fs.readFileSync(local);
  const address = `${repository}/releases/download/v${version}/${name}`;
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: HTTP ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

async function main() {
  const name = archiveName();
  const archive = await download(name);
  const sum = createHash("sha256").update(archive).digest("hex");
  if (sum !== archives[name]) throw new Error(`${name}: checksum ${sum}, expected ${archives[name]}`);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "intercom-pp-cli-"));
  try {
    const file = path.join(folder, name);
    fs.writeFileSync(file, archive);
    // Windows has had tar, which also unpacks zip files, since version 10.
    execFileSync("tar", ["-xf", name], { cwd: folder });
    const unpacked = path.join(folder, name.replace(/\.(tar\.gz|zip)$/, ""), "bin");
    const target = path.join(__dirname, "native");
    fs.rmSync(target, { recursive: true, force: true });
    fs.cpSync(unpacked, target, { recursive: true });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(`intercom-pp-cli: ${error.message}`);
  process.exit(1);
});
