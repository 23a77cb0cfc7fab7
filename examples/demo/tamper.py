"""Chapter 11: somebody edits one byte of the database."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from examples.demo.stage import Demo


def tamper(demo: Demo) -> None:
    """Flip one byte of a stored row and let the audit name it."""
    audit = "log audit --config {home}/hub.toml"
    with demo.chapter("11  Somebody edits one byte of the database"):
        clean = demo.command(audit, home=demo.home)
        demo.say(f"before: {clean['entries']} entries and {clean['rows']} rows recomputed, clean")
        key = flip_one_byte(demo.home / "data" / "hub.db")
        findings = demo.command(audit, home=demo.home, expect=1)["findings"]
        named = [(item["table"], item["key"]) for item in findings]
        if named != [("registry_versions", key)]:
            raise SystemExit(f"the audit did not name registry_versions {key}: {findings}")
        demo.say(f"after: {findings[0]['table']} {findings[0]['key']}: {findings[0]['fault']}")
    demo.report["tamper_detected"] = len(named)


def flip_one_byte(database: Path) -> str:
    """Change one byte of one stored certificate; the key of its row."""
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        key, fields = connection.execute(
            "SELECT id, public_fields FROM registry_versions ORDER BY id LIMIT 1 OFFSET 100"
        ).fetchone()
        changed = bytearray(fields)
        changed[len(changed) // 2] ^= 1
        connection.execute(
            "UPDATE registry_versions SET public_fields = ? WHERE id = ?", (bytes(changed), key)
        )
    return str(key)
