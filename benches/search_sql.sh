#!/bin/sh
# Measures `search` and `sql` on a mirror of 20,000 conversations with 5 parts each, and the time to build the
# search index. Requires hyperfine. Usage: benches/search_sql.sh [BINARY]
set -eu
binary=$(realpath "${1:-target/release/intercom-pp-cli}")
folder=$(mktemp -d)
export HOME="$folder" INTERCOM_ACCESS_TOKEN=sandbox-token
"$binary" sandbox serve --bare --contacts 20000 --companies 2000 --conversations 20000 --parts 5 --tickets 2000 \
    --calls-per-window 1000000 > "$folder/sandbox.json" 2> "$folder/log" &
sandbox=$!
trap 'kill "$sandbox" 2> /dev/null; rm -rf "$folder"' EXIT
until [ -s "$folder/sandbox.json" ]; do sleep 0.1; done
INTERCOM_BASE_URL=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["base_url"])' "$folder/sandbox.json")
export INTERCOM_BASE_URL
db="$folder/mirror.db"
time "$binary" sync --db "$db" > "$folder/summary.json" 2>> "$folder/log"
ls -l "$db"
id=$("$binary" sql "SELECT id FROM conversations LIMIT 1 OFFSET 12345" --quiet --db "$db")
email=$("$binary" sql "SELECT email FROM contacts WHERE email IS NOT NULL LIMIT 1 OFFSET 1234" --quiet --db "$db")
hyperfine --shell none --warmup 3 \
    "$binary sql \"SELECT * FROM conversations WHERE id = '$id'\" --db $db" \
    "$binary sql \"SELECT * FROM inbox WHERE id = '$id'\" --db $db" \
    "$binary search $email --db $db" \
    "$binary search '\"duplicate charge\"' --db $db" \
    "$binary search refund --db $db" \
    "$binary search 'the OR a' --db $db" 2> "$folder/log" || cat "$folder/log"
# Rebuild the search index from scratch, as after a first sync.
python3 -c "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('DELETE FROM texts'); [c.execute(f'INSERT INTO texts_due SELECT \'{t}\', id FROM {t}') for t in ('contacts', 'companies', 'conversations', 'conversation_parts', 'tickets', 'ticket_parts', 'articles')]; c.commit(); print(c.execute('SELECT count(*) FROM texts_due').fetchone()[0], 'records')" "$db"
time "$binary" search refund --limit 1 --db "$db" > /dev/null
