#!/bin/sh
# Measures the help of every command: lines and bytes at 80 columns, and the time to print a page.
# Usage: benches/help.sh [BINARY]
set -eu
binary=${1:-target/release/intercom-pp-cli}
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME="$home" COLUMNS=80

for detail in --help -h; do
    "$binary" agent-context --json --jq '.results.commands[].command' | tr -d '"' | while read -r words; do
        # shellcheck disable=SC2086
        printf '%s %s\n' "$("$binary" $words "$detail" | wc -lc | tr -s ' ')" "$words"
    done | awk -v detail="$detail" '
        { lines += $1; bytes += $2; if ($1 > most) { most = $1; $1 = $2 = ""; longest = $0 } }
        END { printf "%-6s %d commands, %.1f lines on average, %d at most (%s), %d bytes\n",
              detail, NR, lines / NR, most, substr(longest, 3), bytes }'
done
printf 'first screen: %s lines\n' "$("$binary" | wc -l | tr -d ' ')"
now() { date +%s%N; }
start=$(now)
for _ in 1 2 3 4 5 6 7 8 9 10; do "$binary" contacts list --help > /dev/null; done
printf 'contacts list --help: %d us each\n' $((($(now) - start) / 10000))
