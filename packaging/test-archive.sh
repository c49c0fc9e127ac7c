#!/usr/bin/env bash
# Builds the archive of this machine and tests what a user does with it: check the sum, install into an empty prefix,
# run, upgrade a mirror of an earlier version, install through the npm wrapper, uninstall without a trace.
#
# Usage: packaging/test-archive.sh [--binaries FOLDER] [--from-source] [--debug]
#   --binaries FOLDER  use these binaries instead of building them
#   --from-source      also run `cargo install --path . --locked` from a clean copy of the repository
#   --debug            build without optimization, which is faster
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
binaries=""
from_source=no
profile=release
while [ $# -gt 0 ]; do
    case $1 in
        --binaries) binaries=$(cd "$2" && pwd); shift 2 ;;
        --from-source) from_source=yes; shift ;;
        --debug) profile=debug; shift ;;
        *) echo "test-archive.sh: unknown argument $1" >&2; exit 2 ;;
    esac
done
cd "$root"
if [ -z "$binaries" ]; then
    if [ $profile = release ]; then cargo build --locked --bins --release; else cargo build --locked --bins; fi
    binaries=${CARGO_TARGET_DIR:-target}/$profile
fi

work=$(mktemp -d)
server=""
trap '[ -z "$server" ] || kill "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
step() { printf -- '- %s\n' "$1"; }
fail() { echo "test-archive.sh: $1" >&2; exit 1; }
# A command of an installed program, as a user without any setting runs it.
in_home() { env -i HOME="$work/home" PATH="$work/prefix/bin:/usr/bin:/bin" "$@"; }
connected() { in_home INTERCOM_BASE_URL="$url" INTERCOM_ACCESS_TOKEN=sandbox-token "$@"; }

step "build the archive"
target=$(uname -m)-unknown-linux-gnu
archive=$(packaging/archive.sh "$binaries" "$target" "$work/dist")

step "check its sum and unpack it"
(cd "$work/dist" && sha256sum --check --quiet SHA256SUMS)
mkdir "$work/unpacked" "$work/home"
tar -xzf "$archive" -C "$work/unpacked"
unpacked=$(echo "$work"/unpacked/*)
for file in LICENSE README.md install.sh completions/intercom-pp-cli.bash man/intercom-pp-cli.1; do
    [ -s "$unpacked/$file" ] || fail "the archive lacks $file"
done

step "install into an empty prefix"
mkdir "$work/prefix"
"$unpacked/install.sh" --prefix "$work/prefix"
in_home intercom-pp-cli --version
[ "$(in_home sh -c 'command -v intercom-pp-mcp')" = "$work/prefix/bin/intercom-pp-mcp" ] || fail "intercom-pp-mcp is missing"
bash -n "$work/prefix/share/bash-completion/completions/intercom-pp-cli"

step "run the main job without an account"
in_home intercom-pp-cli demo > "$work/demo" 2> /dev/null
grep -q "Response times by team" "$work/demo" || fail "demo printed something else: $(cat "$work/demo")"

step "upgrade a mirror of an earlier version"
# Not through a function: that would be a shell, and killing it leaves the server.
env -i HOME="$work/home" "$work/prefix/bin/intercom-pp-cli" sandbox serve > "$work/address" 2> /dev/null &
server=$!
for _ in $(seq 200); do grep -qs http "$work/address" && break; sleep 0.1; done
grep -qs http "$work/address" || fail "the sandbox did not start"
url=$(grep -o 'http://127[^" ]*' "$work/address")
python3 - "$work/old.db" <<'PYTHON'
import pathlib, sqlite3, sys

# The first nine migrations are a schema that was in use; later ones need a newer SQLite than Python may have.
files = sorted(pathlib.Path("src/mirror/store/schema").glob("000*.sql"))
store = sqlite3.connect(sys.argv[1])
for file in files:
    store.executescript(file.read_text())
store.execute("INSERT INTO workspace VALUES (1, 'sandbox1', 'Sandbox', 'US', NULL, 'UTC')")
store.execute("INSERT INTO contacts (id, email, synced_at, raw) VALUES ('old', 'old@example.com', 1, '{\"id\":\"old\"}')")
store.execute(f"PRAGMA user_version = {len(files)}")
store.commit()
PYTHON
kept=$(connected intercom-pp-cli sql --db "$work/old.db" "SELECT email FROM contacts" --csv | tail -n 1)
[ "$kept" = old@example.com ] || fail "the upgraded mirror lost its contact: $kept"
connected intercom-pp-cli sync --db "$work/old.db" > "$work/summary" 2> "$work/log" || fail "the upgraded mirror cannot be synced: $(cat "$work/log")"
after=$(connected intercom-pp-cli sql --db "$work/old.db" "SELECT count(*) AS n FROM inbox" --csv | tail -n 1)
[ "$after" -gt 300 ] || fail "the upgraded mirror has only $after conversations"

step "use it through an installed program again, after installing over it"
"$unpacked/install.sh" --prefix "$work/prefix" > /dev/null
connected intercom-pp-cli conversations sla --db "$work/old.db" --since 28d > /dev/null

if command -v npm > /dev/null; then
    step "install it through the npm wrapper, from the local archive"
    package=$(packaging/npm/pack.sh "$work/dist" "$work/npm-package")
    INTERCOM_PP_CLI_ARCHIVE=$archive npm install --silent --no-audit --no-fund --prefix "$work/npm" "$package"
    env HOME="$work/home" "$work/npm/node_modules/.bin/intercom-pp-cli" --version
    cp "$archive" "$work/broken.tar.gz" && echo x >> "$work/broken.tar.gz"
    if INTERCOM_PP_CLI_ARCHIVE=$work/broken.tar.gz npm install --silent --no-audit --no-fund --prefix "$work/npm-broken" "$package" 2> /dev/null; then
        fail "the npm wrapper installed an archive with a wrong checksum"
    fi
else
    echo "  npm not found: the npm wrapper was not tested" >&2
fi

step "fill in the Homebrew formula"
packaging/formula.sh "$work/dist/SHA256SUMS" https://github.com/OWNER/intercom-pp-cli > "$work/formula.rb"
grep -q "sha256 \"$(cut -d' ' -f1 "$work/dist/SHA256SUMS")\"" "$work/formula.rb" || fail "the formula lacks the checksum"

step "uninstall"
"$unpacked/install.sh" --prefix "$work/prefix" --uninstall
left=$(find "$work/prefix" -type f)
[ -z "$left" ] || fail "uninstalling left $left"

if [ "$from_source" = yes ]; then
    step "install from a clean copy of the repository"
    git clone --quiet . "$work/clone"
    flags=(--path . --locked --root "$work/cargo" --quiet)
    [ $profile = release ] || flags+=(--debug)
    (cd "$work/clone" && cargo install "${flags[@]}")
    env -i HOME="$work/home" "$work/cargo/bin/intercom-pp-cli" --version
    (cd "$work/clone" && cargo uninstall --root "$work/cargo" --quiet intercom-pp-cli)
    [ -z "$(ls "$work/cargo/bin")" ] || fail "cargo uninstall left $(ls "$work/cargo/bin")"
fi
echo "all steps passed"
