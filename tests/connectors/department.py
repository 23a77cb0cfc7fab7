"""A department's machine for tests: the outbox of its connector, and its signer beside it."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol, Self

from certs.keys import new_key
from certs.pki import Pki
from connectors.outbox import OutboxRow, Page, StagedBatch, open_outbox
from connectors.sources.delimited import Position
from hub.domain.row import parse_row
from hub.proof.jose import thumbprint
from tests.simulator import unencrypted

CONNECTOR: Final = "licences"


class SaltedRow(Protocol):
    """A row as it is sent."""

    salt: bytes
    row: bytes


@dataclass
class Department:
    """A department's machine: its outbox, and its signer in a process of its own."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    program: str = "connectors.signer"

    @classmethod
    def begin(cls, folder: Path) -> Self:
        """A machine without anything yet, whose signer shall have a port of its own."""
        folder.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return cls(folder, int(probe.getsockname()[1]))

    def equip(self, pki: Pki, tls: Path, hub: Mapping[str, str], makers: bytes) -> None:
        """TLS for the signer, and in the folder `tls` for its hub; the settings of the signer, with
        what it pins of the hub, and the anchors of seal makers."""
        now, keys = datetime.now(UTC), {"hub": new_key(), "server": new_key()}
        server = pki.issue(
            "hub-server", keys["server"].public_key(), now=now, common_name="signer",
            dns_names=["localhost"],
        )  # fmt: skip
        client = pki.issue(
            "system-client", keys["hub"].public_key(), now=now, common_name="the hub"
        )
        for folder, name, key, chain in (
            (self.folder, "server", keys["server"], server.chain_pem),
            (tls, "remote", keys["hub"], client.chain_pem),
        ):
            (folder / f"{name}.pem").write_bytes(chain)
            (folder / f"{name}.key").touch(mode=0o600)
            (folder / f"{name}.key").write_bytes(unencrypted(key))
            (folder / "remote-ca.pem").write_bytes(pki.tls_anchor_pem)
        (self.folder / "makers.pem").write_bytes(makers)
        (self.folder / "passphrase").touch(mode=0o600)
        (self.folder / "passphrase").write_text("sixteen characters or more")
        pinned = "".join(f'{name} = "{value}"\n' for name, value in hub.items())
        (self.folder / "signer.toml").write_text(
            f"""
[signer]
address = "127.0.0.1:{self.port}"
certificate = "server.pem"
key = "server.key"
client_ca = "remote-ca.pem"
hub_keys = ["{thumbprint(keys["hub"].public_key())}"]
folder = "signer"
keys = "keys"
passphrase_file = "passphrase"
maker_ca = "makers.pem"

[hub]
{pinned}
[outbox]
folder = "outbox"
connectors = ["others", "{CONNECTOR}"]
"""
        )

    def start(self) -> None:
        """Serve; returns when the port answers."""
        command = [sys.executable, "-m", self.program, str(self.folder / "signer.toml")]
        self.process = subprocess.Popen(command, stderr=(self.folder / "log").open("ab"))
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def journal(self, question: str) -> list[Any]:
        """What its journal says."""
        path = self.folder / "signer" / "journal.db"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as journal:
            return journal.execute(question).fetchall()

    def stage(self, seq: int, batch: str, root_jws: str, rows: Sequence[SaltedRow]) -> None:
        """Write a batch into the outbox, as the connector does before it sends."""
        sent = [
            OutboxRow(parse_row(one.row).source_key, b"", one.salt, one.row, 1, 0) for one in rows
        ]
        staged = StagedBatch(seq, batch, root_jws, "", tuple(sent))
        page = Page(len(rows), 0, 0, (), (), (), staged, Position(1, 1))
        with open_outbox(self.folder / "outbox", CONNECTOR, "the chain") as outbox:
            outbox.stage("run", page, 1)

    def settle(self, seq: int, identifier: str) -> None:
        """Write down which identifier the hub gave to the first row of a batch."""
        with sqlite3.connect(self.folder / "outbox" / f"{CONNECTOR}.sqlite") as outbox:
            outbox.execute("UPDATE outbox SET identifier = ? WHERE seq = ?", (identifier, seq))
