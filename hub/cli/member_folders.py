"""The folder of a system or an officer: its keys, their requests, its certificate and profile.

Private keys are made in it and never leave it. What goes out are requests, which prove the keys.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs.files import PUBLIC, write_replacing
from certs.issued import IssuedCertificate
from certs.keys import CSR_BYTES_MAX, make_csr
from certs.pki import Pki
from connectors.client import HubClient
from connectors.profile import profile_text, read_bounded
from hub.cli.keys import own_key, own_passphrase
from hub.cli.terminal import UsageError


def make_requests(folder: Path, name: str, kinds: tuple[str, ...]) -> list[Path]:
    """Keys `{kind}.key` and their requests `{kind}.csr`; a second run keeps both."""
    passphrase = own_passphrase(folder)
    files = []
    for kind in kinds:
        key = own_key(folder / f"{kind}.key", passphrase)
        file = folder / f"{kind}.csr"
        if not file.is_file():
            # A request is signed with randomness: written once, so that a repeat changes nothing.
            write_replacing(file, make_csr(key, name), mode=PUBLIC)
        files.append(file)
    return files


def request_der(file: Path) -> bytes:
    """The request in `file`. Raises UsageError where it is none."""
    data = read_bounded(file, CSR_BYTES_MAX, "signing request")
    try:
        return x509.load_pem_x509_csr(data).public_bytes(serialization.Encoding.DER)
    except ValueError as error:
        raise UsageError(
            f"{file} is not a PKCS#10 request in PEM; make it with `… request`",
            f"{file} 不是 PEM 格式的 PKCS#10 请求；请用 request 子命令生成",
        ) from error


def issue(pki: Path, profile: str, name: str, folder: Path) -> IssuedCertificate:
    """The client certificate of the folder's `client.csr`; the same again where it was issued."""
    request = request_der(folder / "client.csr")
    return Pki.open(pki).issue(profile, request, now=datetime.now(UTC), common_name=name)


def equip(folder: Path, name: str, issued: IssuedCertificate, pki: Path, client: HubClient) -> Path:
    """Write everything that calls the hub as `name` needs beside its keys; gives its profile."""
    hub = client.profile
    write_replacing(folder / "client.pem", issued.chain_pem)
    write_replacing(folder / "ca.pem", Pki.open(pki).tls_anchor_pem)
    write_replacing(folder / "trust.json", hub.trust.read_bytes())
    member = {"name": name}
    for key in ("signing.key", "approval.key"):
        if (folder / key).is_file():
            member["signing_key"] = key
    if (folder / "passphrase").is_file():
        member["passphrase_file"] = "passphrase"  # noqa: S105 - the file's name
    text = profile_text(
        {
            "address": hub.address,
            "origin": hub.origin,
            "region": hub.region,
            "ca": "ca.pem",
            "certificate": "client.pem",
            "key": "client.key",
            "trust": "trust.json",
        },
        member,
    )
    file = folder / "client.toml"
    write_replacing(file, text.encode())
    return file
