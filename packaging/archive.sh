#!/usr/bin/env bash
# Packs built binaries with completions, manual pages and licence into an archive, and adds its checksum to SHA256SUMS.
# The binaries must run on this machine, because they write the completions and pages themselves.
#
# Usage: packaging/archive.sh BINARIES TARGET [OUTPUT]     for example target/release x86_64-unknown-linux-gnu dist
set -euo pipefail
binaries=$(cd "${1:?folder with the binaries}" && pwd)
target=${2:?target triple, for example x86_64-unknown-linux-gnu}
output=${3:-dist}
root=$(cd "$(dirname "$0")/.." && pwd)
extension=""
case $target in *windows*) extension=.exe ;; esac
cli=$binaries/intercom-pp-cli$extension
version=$("$cli" --version | awk '{print $2}')
name=intercom-pp-cli-$version-$target
mkdir -p "$output"
output=$(cd "$output" && pwd)
folder=$output/$name
rm -rf "$folder"
mkdir -p "$folder/bin" "$folder/completions" "$folder/man"

cp "$cli" "$binaries/intercom-pp-mcp$extension" "$folder/bin/"
"$cli" completions bash > "$folder/completions/intercom-pp-cli.bash"
"$cli" completions zsh > "$folder/completions/_intercom-pp-cli"
"$cli" completions fish > "$folder/completions/intercom-pp-cli.fish"
"$cli" completions powershell > "$folder/completions/intercom-pp-cli.ps1"
"$cli" man --out "$folder/man" > /dev/null
cp "$root"/{LICENSE,NOTICE,README.md,CHANGELOG.md,SKILL.md} "$folder/"
cp "$root/packaging/install.sh" "$folder/"
chmod 755 "$folder/install.sh"

cd "$output"
case $target in
    *windows*)
        archive=$name.zip
        rm -f "$archive"
        7z a -bd "$archive" "$name" > /dev/null
        ;;
    *)
        archive=$name.tar.gz
        tar -czf "$archive" "$name"
        ;;
esac
rm -rf "$folder"
touch SHA256SUMS
# The line of an earlier build is replaced.
grep -v "  $archive\$" SHA256SUMS > SHA256SUMS.new || true
if command -v sha256sum > /dev/null; then sha256sum "$archive"; else shasum -a 256 "$archive"; fi | sed 's/ \*/  /' >> SHA256SUMS.new
mv SHA256SUMS.new SHA256SUMS
echo "$output/$archive"
