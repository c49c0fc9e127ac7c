#!/bin/sh
# Tags 250 conversations of a server that takes 50 ms for each answer. Aim: 2 seconds at most, with
# everything the command asks beforehand. Then the same while one call in five goes wrong is what
# `cargo test --test bulk faults` looks at, without a clock.
#
#   benches/incident.sh [BINARY]
set -eu
binary=${1:-target/release/intercom-pp-cli}
home=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$home"' EXIT
"$binary" sandbox serve --conversations 250 --latency 50 >"$home/address" &
server=$!
while ! grep -q http "$home/address"; do sleep 0.1; done
INTERCOM_BASE_URL=$(grep -o 'http://127[^" ]*' "$home/address" | head -n 1)
export INTERCOM_BASE_URL INTERCOM_ACCESS_TOKEN=sandbox-token HOME="$home"
unset XDG_DATA_HOME XDG_CONFIG_HOME
for tag in one two three; do
    began=$(date +%s%N)
    "$binary" conversations incident-tag --mentions e --tag "$tag" --apply --yes --json >"$home/result" 2>/dev/null
    ended=$(date +%s%N)
    tagged=$(grep -o '"tagged":[0-9]*' "$home/result" | head -n 1)
    echo "$tagged in $(((ended - began) / 1000000)) ms (aim: 250 in 2000 ms at most)"
done
