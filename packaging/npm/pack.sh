#!/bin/sh
# Fills in version, repository and checksums of a release, and packs the npm package. Prints the path of the package.
# Usage: packaging/npm/pack.sh FOLDER-OF-SHA256SUMS OUTPUT [REPOSITORY-URL]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sums=${1:?folder with SHA256SUMS}/SHA256SUMS
output=${2:?output folder}
repository=${3:-https://github.com/OWNER/intercom-pp-cli}
mkdir -p "$output/package"
cp -R "$here/bin" "$here/install.js" "$here/package.json" "$here/README.md" "$output/package/"
node - "$sums" "$output/package" "$repository" <<'NODE'
const fs = require("node:fs");
const [sums, folder, repository] = process.argv.slice(2);
const lines = fs.readFileSync(sums, "utf8").trim().split("\n").map((line) => line.split("  "));
const archives = Object.fromEntries(lines.map(([sum, name]) => [name, sum]));
const version = lines[0][1].match(/^intercom-pp-cli-([0-9][^-]*)-/)[1];
fs.writeFileSync(`${folder}/checksums.json`, JSON.stringify({ repository, archives }, null, 2));
const manifest = JSON.parse(fs.readFileSync(`${folder}/package.json`, "utf8"));
manifest.version = version;
manifest.repository = { type: "git", url: `git+${repository}.git` };
fs.writeFileSync(`${folder}/package.json`, JSON.stringify(manifest, null, 2) + "\n");
NODE
cd "$output"
echo "$output/$(npm pack --silent ./package)"
