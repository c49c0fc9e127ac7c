#!/bin/sh
# Exports a sandbox workspace as Parquet and reads it back with DuckDB, which is installed into a virtual
# environment in target/ if necessary. Requires python3 with venv and pip, and PyPI.
# Usage: tests/parquet/run.sh [BINARY], a binary built with `--features parquet`
set -eu
binary=$(realpath "${1:-target/debug/intercom-pp-cli}")
here=$(realpath "$(dirname "$0")")
command -v python3 > /dev/null || { echo "tests/parquet/run.sh: python3 not found" >&2; exit 1; }
python=python3
if ! python3 -c 'import duckdb, duckdb_ext' 2> /dev/null; then
    environment=$(realpath "$here/../..")/target/parquet-python
    python=$environment/bin/python3
    if ! "$python" -c 'import duckdb, duckdb_ext' 2> /dev/null; then
        python3 -m venv "$environment" && "$python" -m pip install --quiet 'duckdb==1.4.4' 'duckdb-ext-sqlite==1.4.4.*' || {
            echo "tests/parquet/run.sh: cannot install DuckDB: python3 -m venv, pip and PyPI are required" >&2
            exit 1
        }
    fi
fi
folder=$(mktemp -d)
export HOME="$folder" INTERCOM_ACCESS_TOKEN=sandbox-token
"$binary" sandbox serve --bare --contacts 500 --companies 80 --conversations 600 > "$folder/sandbox.json" 2> "$folder/log" &
sandbox=$!
trap 'kill "$sandbox"; rm -rf "$folder"' EXIT
until [ -s "$folder/sandbox.json" ]; do
    kill -0 "$sandbox" || { cat "$folder/log" >&2; exit 1; }
    sleep 0.1
done
INTERCOM_BASE_URL=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["base_url"])' "$folder/sandbox.json")
export INTERCOM_BASE_URL
"$binary" sync --db "$folder/mirror.db" > "$folder/summary.json" 2>> "$folder/log"
"$python" "$here/read_back.py" "$binary" "$folder/mirror.db"
