"""A time stamping service for tests: OpenSSL's `ts` behind a small HTTP server on loopback.

It can be told to misbehave. Certificates come from `tests.pdf_documents.Ca`. A token carries the
signer's certificate alone: OpenSSL 3.0 leaves a chain unsorted, which is no DER, and rfc3161-client
refuses it.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tests.pdf_documents import DAY, NOW, Ca

POLICY = "1.2.3.4.1"
_CONFIG = """
[tsa]
default_tsa = tsa_config
[tsa_config]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = {policy}
other_policies = 1.2.3.4.2
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


@dataclass
class TimeStampServer:
    """The server; `answer` may be replaced by one that misbehaves, `asked` counts requests."""

    folder: Path
    ca: Ca
    url: str = ""
    asked: int = 0
    answer: Callable[[bytes], tuple[int, str, bytes]] = field(init=False)

    def __post_init__(self) -> None:
        self.answer = self.honest

    def honest(self, request: bytes) -> tuple[int, str, bytes]:
        """What OpenSSL answers."""
        query = self.folder / f"{self.asked}.tsq"
        query.write_bytes(request)
        done = subprocess.run(
            ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-queryfile", query],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        return 200, "application/timestamp-reply", done.stdout

    def use(self, signer_ca: Ca, *, time_stamping: bool = True) -> None:
        """Stamp with a certificate of `signer_ca` from now on."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = signer_ca.issue(
            key, "时间戳服务", begins=NOW - 3650 * DAY, ends=NOW + 3650 * DAY,
            time_stamping=time_stamping,
        )  # fmt: skip
        (self.folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        (self.folder / "signer.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[TimeStampServer]:
    """A server while the context lasts. Skip where there is no `openssl`: `absent()`."""
    server = TimeStampServer(folder, Ca("时间戳 CA"))
    (folder / "serial").write_text("01\n")
    (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder, policy=POLICY))
    server.use(server.ca)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked += 1
            status, kind, body = server.answer(request)
            with contextlib.suppress(OSError):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_port}/tsa"
    thread = threading.Thread(target=lambda: http.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()


def absent() -> bool:
    """Whether the engine is missing here."""
    return shutil.which("openssl") is None


def now_us() -> int:
    """The clock that OpenSSL stamps by."""
    return time.time_ns() // 1000
