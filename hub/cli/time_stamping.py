"""Which time stamp authority (RFC 3161) a command asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from cryptography import x509

from connectors.profile import read_bounded
from hub.cli.terminal import UsageError
from hub.clock import now_us
from hub.config import TSA_URL

if TYPE_CHECKING:
    from hub.seal.documents.time_stamps import TimeStampService

_ANCHORS_BYTES_MAX = 1_048_576

UrlOption = Annotated[
    str, typer.Option("--tsa", metavar="URL", help="https, or http to this machine.")
]
AnchorsOption = Annotated[
    Path, typer.Option("--tsa-anchors", metavar="FILE", help="Anchors of its chain, PEM.")
]
PolicyOption = Annotated[
    str, typer.Option("--tsa-policy", metavar="OID", help="Only under this policy.")
]


def service(url: str, anchors: tuple[x509.Certificate, ...], policy: str) -> TimeStampService:
    """The authority at `url`, whose chain leads to `anchors`. Raises UsageError."""
    # The network and its libraries; few commands need them.
    from hub.seal.documents.time_stamps import TimeStampService  # noqa: PLC0415

    if not url or not re.fullmatch(TSA_URL, url):
        en, zh = "https, or http to this machine", "应为 https，或本机的 http"
        raise UsageError(f"--tsa {url}: {en}", f"--tsa {url}：{zh}")
    return TimeStampService(url, anchors, now_us, policy)


def certificates(file: Path) -> tuple[x509.Certificate, ...]:
    """The certificates in a PEM bundle. Raises UsageError."""
    try:
        return tuple(
            x509.load_pem_x509_certificates(read_bounded(file, _ANCHORS_BYTES_MAX, "anchors"))
        )
    except ValueError as error:
        raise UsageError(f"{file}: no PEM certificates", f"{file}：不含 PEM 证书") from error
