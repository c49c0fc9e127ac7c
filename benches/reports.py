#!/usr/bin/env python3
"""Process time and memory of reports on a mirror of 200,000 conversations with 1,000,000 parts.

The store is built from the migrations and filled with made-up rows (about two years, five parts each, 3
teams). `conversations sla` over everything, over 7 days, by office hours and with every metric, and
`contact 360` are measured as user plus system time of the whole process, median of 11 runs, beside a bare
SELECT that adds up the same columns of the same covering index, run by the same program.

Usage: benches/reports.py [BINARY] [CONVERSATIONS] [STORE]; a store that is named is kept, and used again.
"""
import glob, json, os, random, sqlite3, statistics, sys, tempfile, time

BINARY = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "target/release/intercom-pp-cli")
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
END = int(time.time())
SPAN = 730 * 86_400


def build(path):
    chance = random.Random(7)
    store = sqlite3.connect(path)
    store.execute("PRAGMA journal_mode = WAL")
    store.execute("PRAGMA synchronous = OFF")
    folder = os.path.join(os.path.dirname(__file__), "../src/mirror/schema")
    migrations = sorted(glob.glob(os.path.join(folder, "*.sql")))
    for migration in migrations:
        store.executescript(open(migration).read())
    store.execute(f"PRAGMA user_version = {len(migrations)}")
    # What has to be read for the search is of no interest here.
    for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\\_text\\_%' ESCAPE '\\'").fetchall():
        store.execute(f"DROP TRIGGER {name}")
    people = COUNT // 4
    filler = "x" * 600
    store.executemany(
        "INSERT INTO contacts (id, role, email, name, created_at, updated_at, synced_at, raw) VALUES (?,?,?,?,?,?,?,?)",
        ((f"{n:024x}", "user", f"p{n}@example.com", f"Person {n}", END - SPAN, END, END,
          json.dumps({"type": "contact", "id": f"{n:024x}", "email": f"p{n}@example.com", "x": filler}))
         for n in range(people)))
    store.executemany("INSERT INTO teams VALUES (?,?,?,?)", ((str(n), f"Team {n}", END, "{}") for n in range(3)))

    def conversations():
        for n in range(COUNT):
            at = END - SPAN + n * SPAN // COUNT
            who = chance.randrange(people)
            closed = chance.random() < 0.9
            raw = json.dumps({"type": "conversation", "id": str(10**12 + n), "source": {
                "type": "conversation", "body": "<p>Help</p>", "author": {"type": "user", "id": f"{who:024x}"}}, "x": filler})
            yield (str(10**12 + n), "closed" if closed else "open", not closed, at, at + 90_000, str(chance.randrange(3)),
                   "conversation", "customer_initiated", "user", f"{who:024x}", END, raw)

    store.executemany(
        """INSERT INTO conversations (id, state, open, created_at, updated_at, team_assignee_id, source_type,
               source_delivered_as, source_author_type, source_author_id, synced_at, raw)
           VALUES (?,?,?,?,?,?,?,?,?,?,?,?)""", conversations())
    store.execute("INSERT INTO conversation_contacts SELECT id, source_author_id FROM conversations")

    def parts():
        for n in range(COUNT):
            at = END - SPAN + n * SPAN // COUNT
            first = at + int(chance.expovariate(1 / 3600))
            steps = [("note", "admin", at + 10), ("comment", "admin", first), ("comment", "user", first + 600),
                     ("comment", "admin", first + 1800), ("close", "admin", first + 7200)]
            for number, (kind, by, moment) in enumerate(steps):
                identity = str(10**13 + n * 5 + number)
                raw = json.dumps({"id": identity, "part_type": kind, "body": "<p>Text</p>", "author": {"type": by}, "x": filler[:300]})
                yield (identity, str(10**12 + n), kind, by, "7", 0, kind != "close", moment, moment, END, raw)

    store.executemany(
        """INSERT INTO conversation_parts (id, conversation_id, part_type, author_type, author_id, from_ai_agent,
               has_text, created_at, updated_at, synced_at, raw) VALUES (?,?,?,?,?,?,?,?,?,?,?)""", parts())
    store.execute("INSERT INTO conversation_parts_state SELECT id, updated_at, ?, 5, 5, 0 FROM conversations", [END])
    for resource in ("contacts", "companies", "conversations", "conversation_parts", "tickets", "ticket_states", "tags",
                     "segments", "admins", "teams"):
        store.execute("INSERT INTO sync_state (resource, started_at, watermark, complete) VALUES (?, ?, ?, 1)", (resource, END, END))
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def run(words):
    """Milliseconds of process time, and the most memory in MB."""
    null = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(BINARY, [BINARY, *words], {**os.environ, "HOME": HOME},
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, usage = os.wait4(pid, 0)
    os.close(null)
    assert status == 0, words
    return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def measure(title, words, limit=None, beside=None):
    runs = [run(words) for _ in range(11)]
    took, memory = statistics.median(it[0] for it in runs), max(it[1] for it in runs)
    ratio = f"  {took / beside:5.2f} x the bare SELECT" if beside else ""
    target = f"  (target {limit} ms)" if limit else ""
    print(f"{title:<44} {took:8.1f} ms  {memory:6.1f} MB{target}{ratio}", flush=True)
    return took


with tempfile.TemporaryDirectory() as HOME:
    path = os.path.realpath(sys.argv[3]) if len(sys.argv) > 3 else os.path.join(HOME, "mirror.db")
    began = time.time()
    if not os.path.exists(path):
        build(path)
    print(f"built {COUNT} conversations, {COUNT * 5} parts, {os.path.getsize(path) >> 20} MB in {time.time() - began:.0f} s")
    config = os.path.join(HOME, "config.toml")
    with open(config, "w") as file:
        file.write('[office_hours]\ntimezone = "Europe/Berlin"\nhours = "09:00-17:00"\n')
    db, sla = ["--db", path], ["conversations", "sla", "--db", path]
    took, _ = run(sla)
    print(f"first report, which works all timelines out  {took:8.1f} ms")
    columns = ["marks", "first_contact_at", "first_response_at", "first_close_at", "last_close_at", "waiting_since"]
    sums = ", ".join(f"sum({column})" for column in columns)
    bare = f"SELECT team_id IS NULL, count(*), {sums} FROM conversation_timelines INDEXED BY conversation_timelines_report"
    base = measure("bare SELECT over the covering index", ["sql", bare, *db])
    week = f"{bare} WHERE created_at >= {END - 7 * 86_400}"
    base_week = measure("bare SELECT, 7 days", ["sql", week, *db])
    measure("sla over everything", sla, 150, base)
    measure("sla over 7 days", [*sla, "--since", "7d"], 40, base_week)
    measure("sla in office hours", [*sla, "--hours", "office", "--config", config], None, base)
    measure("sla with every metric", [*sla, "--metric", "first-response,resolution,next-response,handle"], None, base)
    measure("sla by company", [*sla, "--group-by", "company"], None, base)
    measure("contact 360", ["contact", "360", "p77@example.com", *db], 15)
    measure("contact 360 with whole threads", ["contact", "360", "p77@example.com", "--depth", "messages", *db])
    measure("--version", ["--version"])
