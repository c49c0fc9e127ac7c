#!/bin/sh
# Exports a sandbox workspace as Parquet and reads it back with DuckDB. Needs python3, with venv; DuckDB comes
# from PyPI into a virtual environment under target/, unless it is installed.
# Usage: tests/parquet/run.sh [BINARY]
set -eu
binary=$(realpath "${1:-target/debug/intercom-pp-cli}")
here=$(realpath "$(dirname "$0")")
python=python3
if ! "$python" -c 'import duckdb' 2> /dev/null; then
    environment="$here/../../target/parquet-python"
    python="$environment/bin/python3"
    "$python" -c 'import duckdb' 2> /dev/null || {
        python3 -m venv --clear "$environment"
        "$python" -m pip install --quiet --disable-pip-version-check duckdb
    }
fi
folder=$(mktemp -d)
export HOME="$folder" INTERCOM_ACCESS_TOKEN=sandbox-token
"$binary" sandbox serve --contacts 500 --companies 80 --conversations 600 > "$folder/sandbox.json" 2> "$folder/log" &
sandbox=$!
trap 'kill "$sandbox"; rm -rf "$folder"' EXIT
until [ -s "$folder/sandbox.json" ]; do sleep 0.1; done
INTERCOM_BASE_URL=$("$python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["base_url"])' "$folder/sandbox.json")
export INTERCOM_BASE_URL
"$binary" sync --db "$folder/mirror.db" > "$folder/summary.json" 2>> "$folder/log"
"$python" "$here/read_back.py" "$binary" "$folder/mirror.db"
