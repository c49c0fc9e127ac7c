#!/usr/bin/env bash
# Measures shell completion: size of each script, time that loading it adds to the start of bash, and time of one TAB
# with names from a mirror. Requires hyperfine.
# Usage: benches/completion.sh [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
binary=$(realpath "${1:-target/release/intercom-pp-cli}")
home=$(mktemp -d)
sandbox=
trap 'if [ -n "$sandbox" ]; then kill "$sandbox"; fi; rm -rf "$home"' EXIT
export HOME=$home
unset XDG_CONFIG_HOME XDG_DATA_HOME XDG_CACHE_HOME
for shell in bash zsh fish; do
  "$binary" completions "$shell" >"$home/$shell"
  printf '%-5s script: %s bytes\n' "$shell" "$(stat -c %s "$home/$shell")"
done
"$binary" sandbox serve --port 0 >"$home/address" 2>/dev/null &
sandbox=$!
until grep -qs base_url "$home/address"; do sleep 0.1; done
url=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["base_url"])' "$home/address")
token=$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["token"])' "$home/address")
INTERCOM_BASE_URL=$url INTERCOM_ACCESS_TOKEN=$token "$binary" sync >/dev/null 2>&1
export INTERCOM_PP_CLI_COMPLETE=bash _CLAP_COMPLETE_INDEX=4
hyperfine --shell=none --warmup 5 --runs 50 --export-json "$home/report" \
  "bash --norc --noprofile -c true" "bash --norc --noprofile -c '. $home/bash'" \
  "$binary -- intercom-pp-cli conversations bulk-assign --team ''" \
  "$binary -- intercom-pp-cli conversations bulk-tag --tag ''" >/dev/null 2>&1
python3 - "$home/report" <<'PY'
import json, sys
plain, loaded, teams, tags = [result["median"] * 1000 for result in json.load(open(sys.argv[1]))["results"]]
print(f"loading the bash script: {loaded - plain:.1f} ms")
print(f"TAB after --team: {teams:.1f} ms, after --tag: {tags:.1f} ms")
PY
