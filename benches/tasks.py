#!/usr/bin/env python3
"""Counts what forty everyday tasks cost an agent: calls, and bytes of output.

Runs the steps of tasks.toml against a sandbox, as one session of an agent that has read `agent-context --compact` once and
remembers what it saw. Counts the calls and the bytes of stdout and stderr. The outcome of each task is checked with separate
reads, which are not counted, nor is the sync before the session. Fails if an outcome is wrong, if a step uses a value that
the agent has not seen, or if the totals exceed the targets.

Usage: benches/tasks.py [BINARY]      (needs Python 3.11; default: target/release/intercom-pp-cli)
"""

import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

MAX_CALLS = 90
MAX_BYTES = 90_000


class Program:
    """The binary, connected to a sandbox, in an empty home directory."""

    def __init__(self, binary, home):
        self.binary = str(Path(binary).resolve())
        self.home = home
        self.environment = {"HOME": home, "PATH": os.environ["PATH"], "INTERCOM_ACCESS_TOKEN": "sandbox-token"}
        self.sandbox = subprocess.Popen(
            [self.binary, "sandbox", "serve", "--port", "0"],
            env=self.environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        # The first line is for the shell, the second one, or the same in other formats, has the address.
        for line in self.sandbox.stdout:
            if "http://" in line:
                address = line[line.index("http://"):].split()[0].split('"')[0]
                self.environment["INTERCOM_BASE_URL"] = address
                break

    def stop(self):
        self.sandbox.send_signal(signal.SIGTERM)
        self.sandbox.wait()

    def run(self, line):
        return subprocess.run(
            [self.binary, *shlex.split(line)],
            env=self.environment, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        )

    def read(self, line):
        """The output of a command that is not counted, without the quotes of a JSON text."""
        done = self.run(line)
        if done.returncode != 0:
            raise Failure(f"not counted: {line}: {done.stderr.strip()}")
        text = done.stdout.strip()
        return json.loads(text) if text.startswith('"') and text.endswith('"') and "\n" not in text else text

    def is_command(self, command):
        help = self.run(f"{command} --help").stdout.splitlines()
        return any(line.startswith("Usage:") and f" {command} " in f"{line} " for line in help)


class Failure(Exception):
    pass


class Session:
    """What an agent has typed and seen."""

    def __init__(self, program):
        self.program = program
        self.seen = ""
        self.calls = 0
        self.bytes = 0

    def call(self, line):
        alternatives = line.split(" || ")
        while len(alternatives) > 1 and self.program.run(alternatives[0]).returncode != 0:
            alternatives.pop(0)
        line = alternatives[0]
        done = self.program.run(line)
        output = done.stdout + done.stderr
        self.calls += 1
        self.bytes += len(output.encode())
        self.seen += output
        if done.returncode != 0:
            raise Failure(f"{line}: exit {done.returncode}: {output.strip()[:300]}")
        return done.stdout


def filled(text, values):
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def first_line(value):
    return value.splitlines()[0] if isinstance(value, str) and value else value


def perform(task, session):
    program = session.program
    values = {}

    def learn(kind, whole=False):
        for name, line in task.get(kind, {}).items():
            value = program.read(filled(line, values))
            values[name] = value if whole else first_line(value)
            if values[name] in ("", None, "null"):
                raise Failure(f"the sandbox has nothing for {name!r}")

    learn("given")
    for line in task.get("prepare", []):
        program.read(filled(line, values))
    learn("truth", whole=True)
    steps = task["steps"]
    if "verb" in task and not program.is_command(task["verb"]):
        steps = task["without"]
    before = [program.read(filled(line, values)) for line in task.get("changes", [])]
    output = ""
    for step in steps:
        for name, line in task.get("found", {}).items():
            if "{" + name + "}" in step:
                values[name] = first_line(program.read(filled(line, values)))
                if str(values[name]) not in session.seen:
                    raise Failure(f"{step}: the agent cannot know {name} = {values[name]!r}")
        output = session.call(filled(step, values))
    for expected in task.get("answer", []):
        for line in str(values.get(expected, expected)).splitlines():
            if line not in output:
                raise Failure(f"the answer lacks {line!r}: {output.strip()[:300]}")
    contains = [filled(text, values) for text in task.get("contains", [])]
    if contains and not any(text in session.seen for text in contains):
        raise Failure(f"no output contains {contains[0]!r}")
    check = task.get("check", [])
    for line, expected in zip(check[::2], check[1::2]):
        expected = filled(expected, values).strip('"')
        found = str(program.read(filled(line, values)))
        if found != expected:
            raise Failure(f"{filled(line, values)}: expected {expected!r}, found {found!r}")
    for line, old in zip(task.get("changes", []), before):
        if program.read(filled(line, values)) == old:
            raise Failure(f"{filled(line, values)}: nothing changed")
    if "file" in task:
        name, truth = task["file"]
        written = len((Path(program.home) / name).read_text().splitlines())
        if written != len(values[truth].splitlines()):
            raise Failure(f"{name} has {written} lines, expected {len(values[truth].splitlines())}")
    return "" if steps is task["steps"] else f"without {task['verb']!r}"


def main():
    binary = sys.argv[1] if len(sys.argv) > 1 else "target/release/intercom-pp-cli"
    tasks = tomllib.loads((Path(__file__).parent / "tasks.toml").read_text())["task"]
    failures = []
    with tempfile.TemporaryDirectory() as home:
        program = Program(binary, home)
        try:
            program.run("sync")
            session = Session(program)
            session.call("agent-context --compact")
            print(f"{'':>3}  {'calls':>5}  {'bytes':>6}  task")
            print(f"{'':>3}  {session.calls:>5}  {session.bytes:>6}  (read agent-context --compact)")
            for number, task in enumerate(tasks, 1):
                calls, size = session.calls, session.bytes
                try:
                    note = perform(task, session)
                except Failure as failure:
                    failures.append(f"{number} {task['need']}: {failure}")
                    note = "FAILED"
                note = f"  [{note}]" if note else ""
                print(f"{number:>3}  {session.calls - calls:>5}  {session.bytes - size:>6}  {task['need']}{note}")
        finally:
            program.stop()
    print(f"{'':>3}  {session.calls:>5}  {session.bytes:>6}  in all (targets: {MAX_CALLS} calls, {MAX_BYTES} bytes)")
    for failure in failures:
        print(f"failed: {failure}", file=sys.stderr)
    is_within = session.calls <= MAX_CALLS and session.bytes <= MAX_BYTES
    sys.exit(0 if is_within and not failures else 1)


main()
