#!/bin/sh
# Prints the Homebrew formula of a release.
# Usage: packaging/formula.sh SHA256SUMS REPOSITORY-URL > Formula/intercom-pp-cli.rb
set -eu
sums=${1:?file SHA256SUMS of the release}
repository=${2:?address of the repository}
template=$(dirname "$0")/homebrew/intercom-pp-cli.rb.template
version=$(sed -n 's/.*  intercom-pp-cli-\([0-9][^-]*\)-.*/\1/p' "$sums" | head -n 1)
[ -n "$version" ] || { echo "formula.sh: $sums names no archive" >&2; exit 1; }
sum() {
    found=$(sed -n "s/^\([0-9a-f]*\)  intercom-pp-cli-$version-$1\.tar\.gz\$/\1/p" "$sums")
    echo "${found:-no-archive-for-$1}"
}
sed -e "s|@REPOSITORY@|$repository|g" -e "s|@VERSION@|$version|g" \
    -e "s|@MACOS_ARM@|$(sum aarch64-apple-darwin)|" -e "s|@MACOS_INTEL@|$(sum x86_64-apple-darwin)|" \
    -e "s|@LINUX_ARM@|$(sum aarch64-unknown-linux-gnu)|" -e "s|@LINUX_INTEL@|$(sum x86_64-unknown-linux-gnu)|" "$template"
