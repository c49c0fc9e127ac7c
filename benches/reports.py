#!/usr/bin/env python3
"""Measures CPU time and memory of reports on a mirror of 200,000 conversations with 1,000,000 parts.

The store is created by the binary and filled with generated rows (about two years, five parts per
conversation, 3 teams). Measures `conversations sla` over all data, over 7 days, in office hours and with every
metric, and `contact 360`. Times are user plus system time of the whole process, median of 11 runs. The baseline
is a SELECT, run by the same binary, that sums the same columns of the same covering index.

Usage: benches/reports.py [BINARY] [CONVERSATIONS] [STORE]. A named store is kept and reused.
"""
import json, os, random, re, sqlite3, statistics, subprocess, sys, tempfile, time

BINARY = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "target/release/intercom-pp-cli")
COUNT = int(sys.argv[2]) if len(sys.argv) > 2 else 200_000
END = int(time.time())
SPAN = 730 * 86_400


def create_empty(path):
    """The binary itself creates the store: Python's SQLite may be too old for the search index."""
    with tempfile.TemporaryDirectory() as home:
        log = os.path.join(home, "sandbox.json")
        empty = [word for name in ("contacts", "companies", "conversations", "tickets") for word in (f"--{name}", "0")]
        with open(log, "w") as output:
            sandbox = subprocess.Popen([BINARY, "sandbox", "serve", *empty], stdout=output, stderr=subprocess.DEVNULL)
        try:
            while not os.path.getsize(log):
                time.sleep(0.05)
            url = re.search(r"http://127[^\s\"]*", open(log).read()).group()
            environment = {"HOME": home, "INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "sandbox-token"}
            subprocess.run([BINARY, "sync", "--db", path], env=environment, check=True, capture_output=True)
        finally:
            sandbox.kill()


def build(path):
    chance = random.Random(7)
    create_empty(path)
    store = sqlite3.connect(path)
    store.execute("PRAGMA synchronous = OFF")
    # The search index is not needed here.
    for (name,) in store.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE '%\\_text\\_%' ESCAPE '\\'").fetchall():
        store.execute(f"DROP TRIGGER {name}")
    people = COUNT // 4
    filler = "x" * 600
    store.executemany(
        "INSERT INTO contacts (id, role, email, name, created_at, updated_at, synced_at, raw) VALUES (?,?,?,?,?,?,?,?)",
        ((f"{n:024x}", "user", f"p{n}@example.com", f"Person {n}", END - SPAN, END, END,
          json.dumps({"type": "contact", "id": f"{n:024x}", "email": f"p{n}@example.com", "x": filler}))
         for n in range(people)))
    store.executemany("INSERT OR REPLACE INTO teams VALUES (?,?,?,?)", ((str(n), f"Team {n}", END, "{}") for n in range(3)))

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
        store.execute("INSERT OR REPLACE INTO sync_state (resource, started_at, watermark, complete) VALUES (?, ?, ?, 1)", (resource, END, END))
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


def run(words):
    """CPU time in milliseconds, and peak memory in MB."""
    null = os.open(os.devnull, os.O_WRONLY)
    pid = os.posix_spawn(BINARY, [BINARY, *words], {**os.environ, "HOME": HOME},
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)])
    _, status, usage = os.wait4(pid, 0)
    os.close(null)
    assert status == 0, words
    return (usage.ru_utime + usage.ru_stime) * 1000, usage.ru_maxrss / 1024


def measure(title, words, limit=None, baseline=None):
    runs = [run(words) for _ in range(11)]
    took, memory = statistics.median(milliseconds for milliseconds, _ in runs), max(memory for _, memory in runs)
    ratio = f"  {took / baseline:5.2f} x the baseline SELECT" if baseline else ""
    target = f"  (target {limit} ms)" if limit else ""
    print(f"{title:<44} {took:8.1f} ms  {memory:6.1f} MB{target}{ratio}", flush=True)
    return took


with tempfile.TemporaryDirectory() as HOME:
    path = os.path.realpath(sys.argv[3]) if len(sys.argv) > 3 else os.path.join(HOME, "mirror.db")
    started = time.time()
    if not os.path.exists(path):
        build(path)
    print(f"built {COUNT} conversations, {COUNT * 5} parts, {os.path.getsize(path) >> 20} MB in {time.time() - started:.0f} s")
    config = os.path.join(HOME, "config.toml")
    with open(config, "w") as file:
        file.write('[office_hours]\ntimezone = "Europe/Berlin"\nhours = "09:00-17:00"\n')
    db, sla = ["--db", path], ["conversations", "sla", "--db", path]
    took, _ = run(sla)
    print(f"first report, which computes all timelines   {took:8.1f} ms")
    columns = ["marks", "first_contact_at", "first_response_at", "first_close_at", "last_close_at", "waiting_since"]
    sums = ", ".join(f"sum({column})" for column in columns)
    select = f"SELECT team_id IS NULL, count(*), {sums} FROM conversation_timelines INDEXED BY conversation_timelines_report"
    base = measure("baseline SELECT over the covering index", ["sql", select, *db])
    week = f"{select} WHERE created_at >= {END - 7 * 86_400}"
    base_week = measure("baseline SELECT, 7 days", ["sql", week, *db])
    measure("sla over all data", sla, 150, base)
    measure("sla over 7 days", [*sla, "--since", "7d"], 40, base_week)
    measure("sla in office hours", [*sla, "--hours", "office", "--config", config], None, base)
    measure("sla with every metric", [*sla, "--metric", "first-response,resolution,next-response,handle"], None, base)
    measure("sla by company", [*sla, "--group-by", "company"], None, base)
    measure("contact 360", ["contact", "360", "p77@example.com", *db], 15)
    measure("contact 360 with full threads", ["contact", "360", "p77@example.com", "--depth", "messages", *db])
    measure("--version", ["--version"])
