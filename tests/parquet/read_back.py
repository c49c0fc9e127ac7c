#!/usr/bin/env python3
"""Reads exported Parquet files back with DuckDB and compares them with the mirror they came from.

Usage: read_back.py BINARY MIRROR.db

Every mirrored resource is exported; every cell must equal what SQLite holds, with real types: times as
timestamps, flags as booleans. Then DuckDB reads the mirror itself: every table and view whole, and counted. Needs
the Python packages duckdb and duckdb-ext-sqlite of one version.
"""

import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import duckdb

binary, mirror = sys.argv[1:3]
database = sqlite3.connect(mirror)
resources = [name for (name,) in database.execute("SELECT resource FROM sync_state WHERE watermark IS NOT NULL")]


def export(resource, *more):
    words = [binary, "export", resource, "--db", mirror, "--format", "parquet", *map(str, more)]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def rows(source, types):
    """Rows of a DuckDB source, converted to SQLite types."""
    times = "TIMESTAMP WITH TIME ZONE"
    cells = [f'epoch("{name}")::BIGINT' if kind == times else f'"{name}"' for name, kind in types.items()]
    return alike(duckdb.sql(f"SELECT {', '.join(cells)} FROM {source}").fetchall())


def alike(found):
    """Booleans are numbers in SQLite, and None sorts with neither."""
    plain = [tuple(int(cell) if isinstance(cell, bool) else cell for cell in row) for row in found]
    return sorted(plain, key=str)


def check(resource, folder):
    file = folder / f"{resource}.parquet"
    export(resource, "--output", file)
    described = duckdb.sql(f"DESCRIBE SELECT * FROM '{file}'").fetchall()
    types = {name: kind for name, kind, *_ in described}
    columns = ", ".join(f'"{name}"' for name in types)
    expected = alike(database.execute(f"SELECT {columns} FROM {resource}").fetchall())
    assert rows(f"'{file}'", types) == expected, resource
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
            assert rows(source, types) == expected, f"{resource} by month"
            wrong = f"SELECT count(*) FROM {source} WHERE created_month <> strftime(created_at, '%Y-%m')"
            assert duckdb.sql(wrong).fetchall() == [(0,)], f"{resource}: months"
    return len(expected)


def attached():
    """Reads every table and view of the mirror through DuckDB: its columns, count(*) and EXISTS."""
    import duckdb_ext

    (extension,) = Path(duckdb_ext.__path__[0]).glob("extensions/*/*/sqlite_scanner.duckdb_extension")
    duckdb.sql(f"LOAD '{extension}'")
    duckdb.sql(f"ATTACH '{mirror}' AS m (TYPE sqlite, READ_ONLY)")
    shadows = "name LIKE 'texts\\_index%' ESCAPE '\\' OR name = 'texts_words' OR name LIKE 'sqlite\\_%' ESCAPE '\\'"
    names = [name for (name,) in database.execute(f"SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND NOT ({shadows})")]
    # DuckDB rewrites unions into SQL that SQLite does not accept, so this view is queried with sqlite_query.
    places = {name: f'm."{name}"' for name in names}
    places["messages"] = "sqlite_query('m', 'SELECT * FROM messages')"
    for name, place in places.items():
        (expected,) = database.execute(f'SELECT count(*) FROM "{name}"').fetchone()
        assert duckdb.sql(f"SELECT count(*) FROM {place}").fetchone() == (expected,), name
        assert duckdb.sql(f"SELECT EXISTS (SELECT 1 FROM {place})").fetchone() == (expected > 0,), name
        assert len(duckdb.sql(f"SELECT * FROM {place}").fetchall()) == expected, name
    return len(names)


duckdb.sql("SET TimeZone = 'UTC'")
assert resources, "nothing is synced"
with tempfile.TemporaryDirectory() as folder:
    for resource in resources:
        print(f"{resource}: {check(resource, Path(folder))} rows")
# A single decimal must not make a table unreadable.
database.execute("UPDATE companies SET monthly_spend = 12.5 WHERE id = (SELECT min(id) FROM companies)")
database.commit()
print(f"{attached()} tables and views read in place")
