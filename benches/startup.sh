#!/usr/bin/env bash
# Measures the startup time of the release binary relative to /bin/true. Requires hyperfine.
# Usage: benches/startup.sh [BINARY]
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${1:-target/release/intercom-pp-cli}
[ -x "$binary" ] || cargo build --release --locked
report=$(mktemp)
trap 'rm -f "$report"' EXIT
hyperfine --shell=none --warmup 20 --runs 300 --export-json "$report" \
  /bin/true "$binary --version" "$binary contacts list --help" >/dev/null 2>&1
python3 - "$report" <<'PY'
import json, sys
results = json.load(open(sys.argv[1]))["results"]
base = results[0]["median"]
for result in results:
    command = result["command"].split("/")[-1]
    print(f"{command:<36} median {result['median'] * 1000:5.2f} ms   {result['median'] / base:4.1f} x /bin/true")
PY
printf 'binary size: %.1f MB\n' "$(stat -c %s "$binary" | awk '{print $1 / 1e6}')"
