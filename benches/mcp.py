#!/usr/bin/env python3
"""Measures the MCP server: startup, tools/list in each mode, and the overhead per call.

Usage: benches/mcp.py [FOLDER OF THE BINARIES, default target/release]. Requires only Python 3.
The overhead is the time of a call through the server minus the time of the same request sent directly.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

BINARIES = sys.argv[1] if len(sys.argv) > 1 else "target/release"
HOME = tempfile.mkdtemp()
CALLS = 1000


class Server:
    def __init__(self, url, *arguments):
        environment = {"HOME": HOME, "INTERCOM_BASE_URL": url, "INTERCOM_ACCESS_TOKEN": "sandbox-token"}
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            [f"{BINARIES}/intercom-pp-mcp", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )
        self.number = 0
        client = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self.request("initialize", client)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method, parameters):
        self.number += 1
        self.send({"jsonrpc": "2.0", "id": self.number, "method": method, "params": parameters})
        self.line = self.process.stdout.readline()
        return json.loads(self.line)

    def call(self, name, **arguments):
        return self.request("tools/call", {"name": name, "arguments": arguments})

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def milliseconds(call, count):
    times = []
    for _ in range(count):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1000)
    return times


def report(name, times):
    times = sorted(times)
    print(f"{name:<44} median {statistics.median(times):6.2f} ms   p90 {times[int(len(times) * 0.9)]:6.2f} ms")


sandbox = subprocess.Popen(
    [f"{BINARIES}/intercom-pp-cli", "sandbox", "serve", "--bare", "--calls-per-window", "1000000"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={"HOME": HOME, "PATH": os.environ["PATH"]},
)
url = json.loads(sandbox.stdout.readline())["base_url"]
try:
    starts = []
    for _ in range(40):
        server = Server(url)
        server.request("tools/list", {})
        starts.append((time.perf_counter() - server.started) * 1000)
        server.stop()
    report("process start to tools/list", starts)
    modes = {
        "default": [], "--allow-writes": ["--allow-writes"],
        "--allow-destructive": ["--allow-writes", "--allow-destructive"],
        "--toolsets contacts,conversations": ["--toolsets", "contacts,conversations"],
        "--all-tools": ["--all-tools"],
        "--all-tools, all allowed": ["--all-tools", "--allow-writes", "--allow-destructive"],
    }
    for mode, arguments in modes.items():
        server = Server(url, *arguments)
        tools = server.request("tools/list", {})["result"]["tools"]
        print(f"tools/list {mode:<36} {len(tools):>4} tools   {len(server.line):>7} bytes")
        server.stop()
    server = Server(url)
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    headers = {"Authorization": "Bearer sandbox-token", "Intercom-Version": "2.13", "Accept": "application/json"}

    def direct():
        connection.request("GET", "/tags", headers=headers)
        connection.getresponse().read()

    milliseconds(direct, 50)
    milliseconds(lambda: server.call("tags_list"), 50)
    before = server.memory()
    through_server = milliseconds(lambda: server.call("tags_list"), CALLS)
    after = server.memory()
    directly = milliseconds(direct, CALLS)
    report(f"{CALLS} x tags_list through the server", through_server)
    report(f"{CALLS} x GET /tags directly", directly)
    print(f"overhead per call: {statistics.median(through_server) - statistics.median(directly):.2f} ms")
    print(f"memory: {before} kB before, {after} kB after")
    server.stop()
finally:
    sandbox.terminate()
