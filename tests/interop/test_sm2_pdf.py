"""What we seal with SM2, judged by Bouncy Castle (Java), and what the others say who do not know
it."""

from __future__ import annotations

import io
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature

from hub.domain.seal_key import KeyAlgorithm
from hub.proof.pdf.file import cms_of, open_pdf
from hub.proof.x509.make_sm2 import make_crl
from hub.proof.x509.sm2 import parse_x509
from tests.debian import PackagesAbsent
from tests.ofdrw import FETCH_S, needs_ofdrw, verify_cms
from tests.pdf_documents import Ca, MemoryKey, key_of, sealed, sm2_root
from tests.pdfsig import programs
from tests.proof.sm2_pki import Member, root


@pytest.fixture(scope="module")
def key() -> MemoryKey:
    return key_of(Ca(), KeyAlgorithm.SM2)


def crl_der(top: Member, *revoked: bytes) -> bytes:
    """The list of `top` with these certificates on it since yesterday."""
    now = datetime.now(UTC)
    return make_crl(
        issuer=top.subject,
        this_update=now - timedelta(hours=1),
        next_update=now + timedelta(days=1),
        revoked={parse_x509(der).serial: now - timedelta(days=1) for der in revoked},
        sign=top.key.sign,
    )


@pytest.mark.slow
@pytest.mark.timeout(2 * FETCH_S + 60)
def test_bouncy_castle_verifies_signature_certificate_and_chain(
    key: MemoryKey, tmp_path: Path
) -> None:
    """Of the CMS in our file, over the bytes of its range; other bytes, another root of the same
    name, and a list with the certificate on it are refused."""
    needs_ofdrw()
    top, other = sm2_root(), root()
    (signature,) = open_pdf(sealed(key))
    files = {
        "cms": cms_of(signature),
        "content": signature.signed_bytes,
        "changed": signature.signed_bytes.replace(b"Acme", b"Evil"),
        "root": top.der,
        "list": crl_der(top),
        "other": other.der,
        "other-list": crl_der(other),
        "revoked": crl_der(top, key.x509_chain[0]),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    asked = (
        ("root", "list", "content"),
        ("root", "list", "changed"),
        ("other", "other-list", "content"),
        ("root", "revoked", "content"),
    )

    said = verify_cms(
        [
            (tmp_path / anchor, tmp_path / listed, tmp_path / "cms", tmp_path / content)
            for anchor, listed, content in asked
        ]
    )

    assert said[:3] == [
        "valid",
        "message-digest attribute value does not match calculated value",
        "TrustAnchor found but certificate validation failed.",
    ]
    assert said[3].startswith("Certificate revocation after ")


def test_pyhanko_and_pdfsig_read_the_seal_and_cannot_judge_it(
    key: MemoryKey, tmp_path: Path
) -> None:
    """Place, range, type and signer are as they want them; SM3 is unknown to both, and neither says
    *valid*."""
    document = sealed(key)
    (embedded,) = PdfFileReader(io.BytesIO(document)).embedded_signatures
    with pytest.raises(AttributeError, match=r"1\.2\.156\.10197\.1\.401"):
        validate_pdf_signature(embedded)
    try:
        pdfsig = programs()
    except PackagesAbsent as absent:
        if os.environ.get("CI") == "true":
            pytest.fail(f"pdfsig is required: {absent}")
        pytest.skip(f"no pdfsig: {absent}")

    anchor = x509.load_der_x509_certificate(sm2_root().der).public_bytes(Encoding.PEM)
    text = pdfsig.judge(tmp_path, document, anchor)

    assert "Signature Type: ETSI.CAdES.detached" in text
    assert "Total document signed" in text
    assert "Signer Certificate Common Name: 市场监督管理局" in text
    assert "Signing Hash Algorithm: unknown" in text
    assert re.findall(r"Signature Validation: (.*)", text) == ["Unknown Validation Failure."]
