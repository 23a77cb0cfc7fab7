"""X.509 chains for keys of seals: from the PKI at hand, or from files that another CA sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from certs.pki import Pki
from connectors.profile import read_bounded
from hub.cli.terminal import UsageError
from hub.proof.encoding import Json, b64u
from hub.seal.v1 import seal_pb2

CHAIN_BYTES_MAX: Final = 64 * 1024
_PROFILES: Final = {"ES256": {"": "seal"}, "SM2": {"maker": "seal-maker", "": "sm2-seal"}}

PkiOption = Annotated[
    Path | None,
    typer.Option("--pki", metavar="DIR", help="PKI of this hub: its CA certifies the keys."),
]


def issue_chain(pki: Path, key: seal_pb2.Key) -> list[Json]:
    """The chain that the PKI issues for a key's request, or a successor of the chain it has; the
    names are those of the request, which the hub wrote. DER in base64url, leaf first.

    Raises UsageError for an algorithm that the PKI does not certify.
    """
    profiles = _PROFILES.get(key.algorithm)
    if profiles is None:
        raise UsageError(
            f"--pki certifies no {key.algorithm} keys; give another CA's answer: --chain",
            f"--pki 只签发 ES256 与 SM2 证书，不支持 {key.algorithm}；请用 --chain 提供证书",
        )
    opened, now = Pki.open(pki), datetime.now(UTC)
    if key.x509_chain:
        leaf = x509.load_der_x509_certificate(key.x509_chain[0])
        issued = opened.renew(f"{leaf.serial_number:040x}", now=now)
    else:
        subject = x509.load_der_x509_csr(key.x509_request).subject
        issued = opened.issue(
            profiles.get(key.use, profiles[""]),
            key.x509_request,
            now=now,
            common_name=_text(subject, x509.NameOID.COMMON_NAME),
            organization=_text(subject, x509.NameOID.ORGANIZATION_NAME),
            organization_identifier=_text(subject, x509.NameOID.ORGANIZATION_IDENTIFIER),
        )
    return [b64u(der) for der in issued.chain_der]


def read_chain(file: Path) -> list[Json]:
    """A chain in PEM, leaf first, as an intent says it. Raises UsageError."""
    data = read_bounded(file, CHAIN_BYTES_MAX, "X.509 chain")
    try:
        found = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise UsageError(
            f"{file} holds no X.509 certificates in PEM", f"{file} 中没有 PEM 格式的 X.509 证书"
        ) from error
    # A root that was sent along is pinned, not installed.
    sent = [one for one in found if one.issuer != one.subject]
    return [b64u(one.public_bytes(Encoding.DER)) for one in sent]


def _text(subject: x509.Name, attribute: x509.ObjectIdentifier) -> str:
    value = subject.get_attributes_for_oid(attribute)[0].value
    return value if isinstance(value, str) else value.decode()
