"""The key and certificate of a hub's TLS server, on the machine of the PKI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from certs.files import write_replacing
from certs.issued import IssuedCertificate
from certs.keys import load_key, make_csr, new_key, private_pem, save_key
from certs.pki import Pki


@dataclass(frozen=True, slots=True)
class ServerCredentials:
    """What a TLS server is started with. The key is plain PEM: keep it in memory."""

    key_pem: bytes = field(repr=False)
    chain_pem: bytes
    certificate: IssuedCertificate


def server_key_and_cert(
    pki: Pki,
    folder: Path,
    *,
    now: datetime,
    common_name: str,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    passphrase: bytes | None = None,
) -> ServerCredentials:
    """The key and certificate of a hub server at `folder` (`server.key`, `server.pem`).

    The key is made on the first call and kept; the certificate is replaced when it is due. For a
    server on the machine of the PKI; elsewhere, send a request. Raises HubError as `Pki.issue`.
    """
    path = folder / "server.key"
    if not path.exists():
        save_key(path, new_key(), passphrase)
    key = load_key(path, passphrase)
    issued = pki.issue(
        "hub-server",
        make_csr(key, common_name),
        now=now,
        common_name=common_name,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
    )
    write_replacing(folder / "server.pem", issued.chain_pem)
    return ServerCredentials(private_pem(key, None), issued.chain_pem, issued)
