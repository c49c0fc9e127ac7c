#!/usr/bin/env python3
"""Measures how fast `listen` answers: 10,000 notifications, a fifth repeated, one in a hundred forged.

Usage: benches/listen.py [BINARY, default target/release/intercom-pp-cli] [PER SECOND, default 1000] [KILLS, default 0].
Requires only Python 3. With kills, the receiver is stopped with SIGKILL and started again while notifications arrive;
what was not answered is sent again, as Intercom does. Prints percentiles of the answer times, the memory, and whether
each notification was printed once per run and none was lost.
"""

import hashlib
import hmac
import http.client
import json
import os
import queue
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

BINARY = sys.argv[1] if len(sys.argv) > 1 else "target/release/intercom-pp-cli"
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
KILLS = int(sys.argv[3]) if len(sys.argv) > 3 else 0
COUNT = 10_000
CONNECTIONS = 32
SECRET = "secret-of-the-benchmark"
HOME = tempfile.mkdtemp()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


PORT = free_port()


class Receiver:
    def __init__(self, run):
        self.output = f"{HOME}/out-{run}"
        environment = {"HOME": HOME, "INTERCOM_CLIENT_SECRET": SECRET}
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [BINARY, "listen", "--port", str(PORT)],
                stdout=output, stderr=subprocess.PIPE, env=environment,
            )
        line = self.process.stderr.readline()
        if not line.startswith(b"listening"):
            sys.exit(f"listen did not start: {line}")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024

    def printed(self):
        with open(self.output) as lines:
            return [json.loads(line)["id"] for line in lines if line.endswith("\n")]


def notification(number):
    body = json.dumps({
        "type": "notification_event", "id": f"notif_{number}", "topic": "conversation.user.replied",
        "created_at": 1779602400 + number,
        "data": {"item": {"type": "conversation", "id": str(number % 500), "text": "x" * 1500}},
    }).encode()
    return body, "sha1=" + hmac.new(SECRET.encode(), body, hashlib.sha1).hexdigest()


def plan():
    """Bodies, signatures and expected answers, in a random order."""
    generator = random.Random(1)
    sent = []
    for number in range(COUNT * 4 // 5):
        body, signature = notification(number)
        sent.append((body, signature, 200))
    repeated = generator.sample(sent, COUNT // 5 - COUNT // 100)
    forged = [(body, "sha1=" + "0" * 40, 401) for body, _, _ in generator.sample(sent, COUNT // 100)]
    sent += repeated + forged
    generator.shuffle(sent)
    return sent


def worker(jobs, times, wrong, began):
    connection = None
    while (job := jobs.get()) is not None:
        due, (body, signature, expected) = job
        time.sleep(max(0, began + due - time.perf_counter()))
        while True:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)
                started = time.perf_counter()
                connection.request("POST", "/", body, {"X-Hub-Signature": signature})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                # Killed in the meantime.
                connection = None
                time.sleep(0.05)
                continue
            times.append(time.perf_counter() - started)
            if answer.status != expected:
                wrong.append(answer.status)
            break


def main():
    jobs, times, wrong = queue.Queue(), [], []
    sent = plan()
    for number, job in enumerate(sent):
        jobs.put((number / RATE, job))
    receivers = [Receiver(0)]
    before = receivers[-1].memory()
    began = time.perf_counter()
    threads = [threading.Thread(target=worker, args=(jobs, times, wrong, began)) for _ in range(CONNECTIONS)]
    for thread in threads:
        jobs.put(None)
        thread.start()
    for kill in range(KILLS):
        time.sleep(max(0, began + (kill + 1) * COUNT / RATE / (KILLS + 1) - time.perf_counter()))
        receivers[-1].process.kill()
        receivers[-1].process.wait()
        receivers.append(Receiver(kill + 1))
    for thread in threads:
        thread.join()
    took, after = time.perf_counter() - began, receivers[-1].memory()
    receivers[-1].process.send_signal(signal.SIGTERM)
    code = receivers[-1].process.wait()
    times.sort()
    at = lambda share: times[min(len(times) - 1, int(len(times) * share))] * 1000
    print(f"{len(times)} answers in {took:.1f} s ({len(times) / took:.0f} a second), exit code {code}")
    print(f"p50 {at(0.5):.1f} ms   p99 {at(0.99):.1f} ms   max {times[-1] * 1000:.1f} ms")
    print(f"memory {before:.1f} MB at the start, {after:.1f} MB at the end")
    per_run = [receiver.printed() for receiver in receivers]
    printed = set().union(*per_run)
    expected = {f"notif_{number}" for number in range(COUNT * 4 // 5)}
    twice = sum(len(ids) - len(set(ids)) for ids in per_run)
    between = sum(map(len, per_run)) - twice - len(printed)
    print(f"lost {len(expected - printed)}, unexpected {len(printed - expected)}, wrong answers {len(wrong)}")
    print(f"printed twice in a run {twice}, again after a kill {between}")
    if expected != printed or wrong or twice or code:
        sys.exit(1)


main()
