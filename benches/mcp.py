#!/usr/bin/env python3
"""What the MCP server costs: start, tools/list in each mode, and our own time in each call.

Usage: benches/mcp.py [folder of the binaries, default target/release]. Needs nothing but Python 3.
Our own time is that of a call through the server less that of the same request sent directly.
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
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            [f"{BINARIES}/intercom-pp-mcp", *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment,
        )
        self.number = 0
        hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
        self.request("initialize", hello)
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
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return times


def shown(name, times):
    times = sorted(times)
    print(f"{name:<44} median {statistics.median(times):6.2f} ms   p90 {times[int(len(times) * 0.9)]:6.2f} ms")


sandbox = subprocess.Popen(
    [f"{BINARIES}/intercom-pp-cli", "sandbox", "serve", "--calls-per-window", "1000000"],
    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={"HOME": HOME, "PATH": os.environ["PATH"]},
)
url = json.loads(sandbox.stdout.readline())["base_url"]
try:
    starts = []
    for _ in range(40):
        server = Server(url)
        server.request("tools/list", {})
        starts.append((time.perf_counter() - server.began) * 1000)
        server.stop()
    shown("process start to tools/list", starts)
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
    through = milliseconds(lambda: server.call("tags_list"), CALLS)
    after = server.memory()
    straight = milliseconds(direct, CALLS)
    shown(f"{CALLS} x tags_list through the server", through)
    shown(f"{CALLS} x GET /tags directly", straight)
    print(f"our own time in each call: {statistics.median(through) - statistics.median(straight):.2f} ms")
    print(f"memory: {before} kB before, {after} kB after")
    server.stop()
finally:
    sandbox.terminate()
