#!/bin/sh
# Exports a sandbox workspace as Parquet and reads it back with DuckDB. Needs `pip install duckdb`.
# Usage: tests/parquet/run.sh [BINARY]
set -eu
binary=$(realpath "${1:-target/debug/intercom-pp-cli}")
here=$(realpath "$(dirname "$0")")
folder=$(mktemp -d)
export HOME="$folder" INTERCOM_ACCESS_TOKEN=sandbox-token
"$binary" sandbox serve --contacts 500 --companies 80 --conversations 600 > "$folder/sandbox.json" 2> "$folder/log" &
sandbox=$!
trap 'kill "$sandbox"; rm -rf "$folder"' EXIT
until [ -s "$folder/sandbox.json" ]; do sleep 0.1; done
INTERCOM_BASE_URL=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["base_url"])' "$folder/sandbox.json")
export INTERCOM_BASE_URL
"$binary" sync --db "$folder/mirror.db" > "$folder/summary.json" 2>> "$folder/log"
python3 "$here/read_back.py" "$binary" "$folder/mirror.db"
