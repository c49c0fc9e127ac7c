#!/usr/bin/env bash
# Drives the MCP server with the official Python SDK, in a separate virtual environment.
# Usage: tests/sdk/run.sh [FOLDER], the folder with the binaries
set -euo pipefail
cd "$(dirname "$0")/../.."
binaries=${1:-target/debug}
[ -x "$binaries/intercom-pp-mcp" ] || cargo build --locked --bins
environment=$(mktemp -d)
trap 'rm -rf "$environment"' EXIT
python3 -m venv "$environment/venv"
"$environment/venv/bin/pip" install --quiet --disable-pip-version-check -r tests/sdk/requirements.txt
"$environment/venv/bin/python" tests/sdk/drive.py "$(cd "$binaries" && pwd)" "$environment"
