#!/usr/bin/env python3
"""Checks and measures `listen --apply`: 10,000 notifications, a fifth repeated, out of order, one in a hundred forged.

Usage: benches/listen_apply.py [BINARY, default target/release/intercom-pp-cli] [PER SECOND, default 1000] [KILLS, default 3].
Requires only Python 3. A sandbox is changed while notifications arrive, and the receiver is stopped with SIGKILL and
started again. At the end, the mirror must equal a new one. Then single changes are made, and the time from the
notification to the mirror is measured. Exits with 1 if anything differs.
"""

import hashlib
import hmac
import http.client
import json
import os
import queue
import random
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

BINARY = os.path.realpath(sys.argv[1] if len(sys.argv) > 1 else "target/release/intercom-pp-cli")
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
COUNT, CONNECTIONS, SECRET = 10_000, 32, "secret-of-the-benchmark"
HOME = tempfile.mkdtemp()
TABLES = ("contacts", "conversations", "conversation_parts", "companies", "tickets", "ticket_parts")
generator = random.Random(1)


def sandbox():
    log = f"{HOME}/sandbox.json"
    sizes = ["--contacts", "2000", "--conversations", "2000", "--companies", "50", "--tickets", "50"]
    with open(log, "wb") as output:
        process = subprocess.Popen([BINARY, "sandbox", "serve", "--bare", *sizes], stdout=output, stderr=subprocess.DEVNULL)
    while not os.path.getsize(log):
        time.sleep(0.05)
    return process, re.search(r"http://(127[^\s\"/]*)", open(log).read()).group(1)


SANDBOX, ADDRESS = sandbox()
ENVIRONMENT = {
    "HOME": HOME, "INTERCOM_CLIENT_SECRET": SECRET, "INTERCOM_BASE_URL": f"http://{ADDRESS}",
    "INTERCOM_ACCESS_TOKEN": "sandbox-token",
}
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]


class Receiver:
    def __init__(self):
        words = ["listen", "--apply", "--db", f"{HOME}/mirror.db", "--port", str(PORT)]
        self.process = subprocess.Popen([BINARY, *words], stderr=subprocess.PIPE, env=ENVIRONMENT)
        while not (line := self.process.stderr.readline()).startswith(b"listening"):
            if not line:
                sys.exit("listen did not start")
        self.synced = threading.Event()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stderr:
            if line.startswith(b"synced"):
                self.synced.set()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def change(method, path, body=None):
    connection = http.client.HTTPConnection(ADDRESS)
    headers = {"Authorization": "Bearer sandbox-token", "Content-Type": "application/json"}
    while True:
        connection.request(method, path, body and json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 429:
            assert answer.status < 300, (method, path, answer.status, text)
            return
        time.sleep(0.5)


def notification(number, topic, item):
    body = json.dumps({
        "type": "notification_event", "id": f"notif_{number}", "topic": topic, "created_at": 1779602400 + number,
        "data": {"item": item},
    }).encode()
    return body, "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()


def ids(database, resource):
    return [row[0] for row in sqlite3.connect(database).execute(f"SELECT id FROM {resource} ORDER BY id")]


def plan(contacts, conversations):
    """Changes with what they are announced as, and notifications about records that have not changed."""
    changed = []
    for contact in contacts[:300]:
        rename = ("PUT", f"/contacts/{contact}", {"name": f"Name {generator.random()}"})
        changed.append((rename, "contact.user.updated", {"type": "contact", "id": contact}))
    for contact in contacts[300:320]:
        changed.append((("DELETE", f"/contacts/{contact}"), "contact.deleted", {"type": "contact", "id": contact}))
    for conversation in conversations[:300]:
        note = {"message_type": "note", "type": "admin", "admin_id": "991267000", "body": f"<p>{generator.random()}</p>"}
        changed.append((("POST", f"/conversations/{conversation}/reply", note), "conversation.admin.noted",
                        {"type": "conversation", "id": conversation}))
    generator.shuffle(changed)
    steps = [(None, "conversation.read", {"type": "conversation", "id": generator.choice(conversations[300:])})
             for _ in range(COUNT * 4 // 5 - COUNT // 100 - len(changed))]
    for step in changed:
        steps.insert(generator.randrange(len(steps)), step)
    return steps


def sender(jobs, times, wrong, began):
    connection = None
    while (job := jobs.get()) is not None:
        due, act, body, signature, expected = job
        time.sleep(max(0, began + due - time.perf_counter()))
        if act:
            change(*act)
        while True:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
                started = time.perf_counter()
                connection.request("POST", "/", body, {"X-Hub-Signature": signature})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.05)
                continue
            times.append(time.perf_counter() - started)
            if answer.status != expected:
                wrong.append(answer.status)
            break


def contents(database):
    rows = sqlite3.connect(database)
    return {(table, key): raw for table in TABLES for key, raw in rows.execute(f"SELECT id, raw FROM {table}")}


def until(is_true, limit):
    began = time.perf_counter()
    while not is_true():
        if time.perf_counter() - began > limit:
            return None
        time.sleep(0.005)
    return time.perf_counter() - began


def stream(receivers):
    contacts, conversations = ids(f"{HOME}/mirror.db", "contacts"), ids(f"{HOME}/mirror.db", "conversations")
    sent = [(act, *notification(number, topic, item), 200)
            for number, (act, topic, item) in enumerate(plan(contacts, conversations))]
    sent += [(None, body, signature, 200) for _, body, signature, _ in generator.sample(sent, COUNT // 5)]
    for number, contact in enumerate(contacts[-COUNT // 100:]):
        body, _ = notification(COUNT + number, "contact.deleted", {"type": "contact", "id": contact})
        sent.insert(generator.randrange(len(sent)), (None, body, "sha1=" + "0" * 40, 401))
    # Neighbours change places, repeats come much later.
    order = sorted(range(len(sent)), key=lambda number: number + generator.uniform(0, 200))
    sent = [sent[number] for number in order]
    jobs, times, wrong = queue.Queue(), [], []
    for number, job in enumerate(sent):
        jobs.put((number / RATE, *job))
    began, before = time.perf_counter(), receivers[-1].memory()
    threads = [threading.Thread(target=sender, args=(jobs, times, wrong, began)) for _ in range(CONNECTIONS)]
    for thread in threads:
        jobs.put(None)
        thread.start()
    for kill in range(KILLS):
        time.sleep(max(0, began + (kill + 1) * COUNT / RATE / (KILLS + 1) - time.perf_counter()))
        receivers[-1].process.kill()
        receivers[-1].process.wait()
        receivers.append(Receiver())
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"{len(times)} answers in {took:.1f} s ({len(times) / took:.0f} a second), {len(wrong)} wrong, {KILLS} kills")
    print(f"p50 {at(0.5):.1f} ms   p99 {at(0.99):.1f} ms   max {times[-1] * 1000:.1f} ms")
    empty = lambda: sqlite3.connect(f"{HOME}/.local/share/intercom-pp-cli/listen/queue.db").execute(
        "SELECT count(*) FROM work").fetchone() == (0,)
    print(f"applied {until(empty, 300):.1f} s after the last notification")
    print(f"memory {before:.1f} MB at the start, {receivers[-1].memory():.1f} MB at the end")
    return wrong


def latency(conversation):
    """Seconds from a notification to the mirror."""
    note = f"<p>{generator.random()}</p>"
    act = {"message_type": "note", "type": "admin", "admin_id": "991267000", "body": note}
    change("POST", f"/conversations/{conversation}/reply", act)
    item = {"type": "conversation", "id": conversation}
    body, signature = notification(generator.randrange(1 << 40), "conversation.admin.noted", item)
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request("POST", "/", body, {"X-Hub-Signature": signature})
    connection.getresponse().read()
    sql = "SELECT count(*) FROM conversation_parts WHERE conversation_id = ? AND instr(raw, ?)"
    text = note[3:-4]
    return until(lambda: sqlite3.connect(f"{HOME}/mirror.db").execute(sql, (conversation, text)).fetchone() != (0,), 30)


def main():
    receivers = [Receiver()]
    receivers[-1].synced.wait(300)
    wrong = stream(receivers)
    receivers[-1].synced.wait(300)
    waits = [latency(conversation) for conversation in ids(f"{HOME}/mirror.db", "conversations")[:20]]
    print(f"from a notification to the mirror: median {statistics.median(waits):.2f} s, max {max(waits):.2f} s")
    receivers[-1].process.send_signal(signal.SIGTERM)
    code = receivers[-1].process.wait()
    subprocess.run([BINARY, "sync", "--db", f"{HOME}/fresh.db", "--quiet"], env=ENVIRONMENT, stderr=subprocess.DEVNULL)
    mirror, fresh = contents(f"{HOME}/mirror.db"), contents(f"{HOME}/fresh.db")
    differing = [key for key in mirror.keys() | fresh.keys() if mirror.get(key) != fresh.get(key)]
    print(f"{len(fresh)} records, {len(differing)} differ from a new mirror {differing[:5]}, exit code {code}")
    if differing or wrong or code:
        sys.exit(1)


try:
    main()
finally:
    SANDBOX.kill()
