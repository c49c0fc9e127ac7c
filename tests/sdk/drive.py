"""Drives the MCP server with the official Python SDK against a sandbox workspace.

Usage: drive.py <folder of the binaries> <empty folder>
"""

import asyncio
import json
import os
import subprocess
import sys
import time

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

BINARIES, HOME = sys.argv[1], sys.argv[2]


class Sandbox:
    """A sandbox process; `slow` delays each of its responses."""

    def __init__(self, *arguments):
        command = [f"{BINARIES}/intercom-pp-cli", "sandbox", "serve", "--bare", "--conversations", "80", *arguments]
        environment = {"HOME": HOME, "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
        line = self.process.stdout.readline()
        self.url = json.loads(line)["base_url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Connection:
    """An initialized session with its own server."""

    def __init__(self, sandbox, *arguments):
        environment = {
            "HOME": HOME,
            "INTERCOM_BASE_URL": sandbox.url,
            "INTERCOM_ACCESS_TOKEN": "sandbox-token",
        }
        self.parameters = StdioServerParameters(
            command=f"{BINARIES}/intercom-pp-mcp", args=list(arguments), env=environment
        )

    async def __aenter__(self):
        self.streams = stdio_client(self.parameters)
        self.session = ClientSession(*await self.streams.__aenter__())
        await self.session.__aenter__()
        self.server = await self.session.initialize()
        return self

    async def __aexit__(self, *error):
        await self.session.__aexit__(*error)
        await self.streams.__aexit__(*error)

    async def call(self, name, **arguments):
        return await self.session.call_tool(name, arguments)

    async def content(self, name, **arguments):
        result = await self.call(name, **arguments)
        assert not failed(result), (name, result)
        return structured(result)

    async def error(self, name, **arguments):
        result = await self.call(name, **arguments)
        assert failed(result), (name, result)
        return structured(result)["error"]


def failed(result):
    return getattr(result, "isError", None) or getattr(result, "is_error", None) or False


def structured(result):
    content = getattr(result, "structuredContent", None) or getattr(result, "structured_content", None)
    assert content == json.loads(result.content[0].text), result
    return content


async def tools(connection):
    listed = (await connection.session.list_tools()).tools
    size = len(json.dumps([tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed]))
    return {tool.name: tool for tool in listed}, size


async def lists(sandbox):
    modes = {
        "default": [],
        "writes": ["--allow-writes"],
        "destructive": ["--allow-writes", "--allow-destructive"],
        "toolsets": ["--toolsets", "contacts,conversations"],
        "all": ["--all-tools", "--allow-writes", "--allow-destructive"],
    }
    counts = {}
    for mode, arguments in modes.items():
        async with Connection(sandbox, *arguments) as connection:
            listed, size = await tools(connection)
            counts[mode] = (len(listed), size)
            assert "run_read" in listed and ("run_write" in listed) == ("--allow-writes" in arguments)
    print("tools and bytes:", counts)
    assert counts["all"][0] > 150 and counts["default"][0] < 20


async def reads(sandbox):
    async with Connection(sandbox) as connection:
        page = await connection.content("contacts_list", per_page=2)
        contact = page["results"]["data"][0]
        shown = await connection.content("run_read", command="contacts show", arguments={"id": contact["id"]})
        assert shown["results"]["id"] == contact["id"]
        synced = await connection.content("sync")
        assert synced["results"]["complete"]
        sla = await connection.content("conversations_sla", min_samples=1)
        assert sla["results"] and sla["meta"]["definitions"]
        refused = await connection.error("contacts_create", email="new@example.com")
        assert refused["kind"] == "not_permitted", refused
        assert (await connection.session.list_resources()).resources
        assert (await connection.session.list_prompts()).prompts
        for arguments in ({}, {"id": "../admins"}, {"id": {"a": 1}, "token": "x"}):
            malformed = await connection.error("contacts_show", **arguments)
            assert malformed["kind"] == "usage" and malformed["hint"], malformed
        unknown = await connection.error("contacts_show", id=123456789012345)
        assert "/contacts/123456789012345:" in unknown["message"] and unknown["http_status"] == 404


async def writes(sandbox):
    async with Connection(sandbox, "--allow-writes", "--allow-destructive") as connection:
        created = await connection.content("contacts_create", email="new@example.com")
        identity = created["results"]["id"]
        refused = await connection.error("contacts_delete", id=identity)
        assert refused["kind"] == "confirmation"
        await connection.content("contacts_show", id=identity)
        plan = await connection.content("contacts_delete", id=identity, dry_run=True)
        wrong = await connection.error("contacts_delete", id=identity, confirmation="0" * 32)
        assert wrong["kind"] == "confirmation"
        await connection.content("contacts_delete", id=identity, confirmation=plan["confirmation"])
        gone = await connection.error("contacts_show", id=identity)
        assert gone["exit_code"] == 3, gone


async def cancels():
    with Sandbox("--latency", "20000") as slow:
        async with Connection(slow) as connection:
            began = time.monotonic()
            # The SDK notifies the server when it abandons a call.
            try:
                await asyncio.wait_for(connection.call("me"), timeout=0.5)
                raise AssertionError("the call should not have ended")
            except asyncio.TimeoutError:
                pass
            found = await connection.content("search_commands", need="tag a contact")
            assert found["commands"] and time.monotonic() - began < 10


async def main():
    with Sandbox() as sandbox:
        await lists(sandbox)
        await reads(sandbox)
        await writes(sandbox)
    await cancels()
    print("the official SDK agrees")


asyncio.run(main())
