#!/usr/bin/env node
// Runs the native program with the same arguments, streams and exit code.
"use strict";

const { spawnSync } = require("node:child_process");
const path = require("node:path");

const extension = process.platform === "win32" ? ".exe" : "";
const program = path.join(__dirname, "..", "native", "intercom-pp-mcp" + extension);
// Ctrl-C reaches the program, which ends by itself.
process.on("SIGINT", () => {});
const result = spawnSync(program, process.argv.slice(2), { stdio: "inherit" });
if (result.error) {
  console.error(`intercom-pp-mcp: ${result.error.message}; reinstall the package`);
  process.exit(1);
}
process.exit(result.status ?? 1);
