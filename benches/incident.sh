#!/bin/sh
# Tags 250 conversations on a server with 50 ms latency. Target: at most 2 seconds, including the requests
# that find the conversations. `cargo test --test it bulk::faults` covers the same command with one failing
# request in five, without measuring time.
#
# Usage: benches/incident.sh [BINARY]
set -eu
binary=${1:-target/release/intercom-pp-cli}
home=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
"$binary" sandbox serve --bare --conversations 250 --latency 50 >"$home/address" &
server=$!
while ! grep -q http "$home/address"; do sleep 0.1; done
INTERCOM_BASE_URL=$(grep -o 'http://127[^" ]*' "$home/address" | head -n 1)
export INTERCOM_BASE_URL INTERCOM_ACCESS_TOKEN=sandbox-token HOME="$home"
unset XDG_DATA_HOME XDG_CONFIG_HOME
for tag in one two three; do
    started=$(date +%s%N)
    "$binary" conversations incident-tag --mentions e --tag "$tag" --apply --yes --json >"$home/result" 2>/dev/null
    ended=$(date +%s%N)
    tagged=$(grep -o '"tagged":[0-9]*' "$home/result" | head -n 1)
    echo "$tagged in $(((ended - started) / 1000000)) ms (target: 250 in at most 2000 ms)"
done
