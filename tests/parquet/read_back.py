#!/usr/bin/env python3
"""Reads exported Parquet files back with DuckDB and compares them with the mirror they came from.

Usage: read_back.py BINARY MIRROR.db

Every mirrored resource is exported; every cell must equal what SQLite holds, with real types: times as
timestamps, flags as booleans. Needs the Python package duckdb.
"""

import sqlite3
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

import duckdb

binary, mirror = sys.argv[1:3]
database = sqlite3.connect(mirror)
resources = [name for (name,) in database.execute("SELECT resource FROM sync_state WHERE watermark IS NOT NULL")]


def export(resource, *more):
    words = [binary, "export", resource, "--db", mirror, "--format", "parquet", *map(str, more)]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL)


def plain(value):
    """A value of DuckDB as SQLite holds it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, datetime):
        return int(value.astimezone(timezone.utc).timestamp())
    return value


def rows(source, columns):
    found = duckdb.sql(f"SELECT {', '.join(columns)} FROM {source}").fetchall()
    return sorted(tuple(map(plain, row)) for row in found)


def check(resource, folder):
    file = folder / f"{resource}.parquet"
    export(resource, "--output", file)
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
    columns = [f'"{name}"' for name, *_ in described]
    types = {name: kind for name, kind, *_ in described}
    expected = sorted(database.execute(f"SELECT {', '.join(columns)} FROM {resource}").fetchall())
    assert rows(f"'{file}'", columns) == expected, resource
    for name, kind in types.items():
        if name.endswith("_at"):
            assert kind == "TIMESTAMP WITH TIME ZONE", (resource, name, kind)
    for name in ("open", "read", "archived", "from_ai_agent", "has_text"):
        assert types.get(name, "BOOLEAN") == "BOOLEAN", (resource, name, types[name])
    if "created_at" in types:
        parts = folder / resource
        export(resource, "--output", parts, "--partition-by", "month")
        source = f"read_parquet('{parts}/**/*.parquet', hive_partitioning = true)"
        if expected:
            assert rows(source, columns) == expected, f"{resource} by month"
            wrong = f"SELECT count(*) FROM {source} WHERE created_month <> strftime(created_at, '%Y-%m')"
            assert duckdb.sql(wrong).fetchone() == (0,), f"{resource}: months"
    return len(expected)


duckdb.sql("SET TimeZone = 'UTC'")
assert resources, "nothing is synced"
with tempfile.TemporaryDirectory() as folder:
    for resource in resources:
        print(f"{resource}: {check(resource, Path(folder))} rows")
