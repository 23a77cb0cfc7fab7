"""CMS of PDF seals: what is signed, what is refused, and OpenSSL as second opinion."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.proof.sm2 import SM3_OID, sm3
from hub.seal.documents.cms import CmsForm, der, sign_cms
from tests.pdf_documents import NOW, Ca, MemoryKey, key_of

ALGORITHMS = tuple(KeyAlgorithm)
SHA256_OID = "2.16.840.1.101.3.4.2.1"
CONTENT = b"%PDF-1.7 whatever the byte range covers"


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def signed(key: MemoryKey, content: bytes = CONTENT) -> bytes:
    form = CmsForm.of(key)
    return form.assemble(*sign_cms(key, form, form.digest(content)))


# OpenSSL 3.0 verifies no Ed25519 in CMS ("invalid digest"); pyHanko does, in test_pdf_seal.py. Of
# SM2 it cannot be told the id: see below, and tests/interop/test_sm2_pdf.py.
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ES256, KeyAlgorithm.ES384, KeyAlgorithm.PS256])
def test_openssl_verifies_it(ca: Ca, tmp_path: Path, algorithm: KeyAlgorithm) -> None:
    """Detached content, chain to our root; one other byte in the content is refused."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    (tmp_path / "root.pem").write_bytes(ca.root.public_bytes(Encoding.PEM))
    (tmp_path / "cms.der").write_bytes(signed(key_of(ca, algorithm)))
    outcomes = []
    for content in (CONTENT, CONTENT[:-1] + b"!"):
        (tmp_path / "content").write_bytes(content)
        done = subprocess.run(
            [openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", "cms.der",
             "-content", "content", "-CAfile", "root.pem", "-purpose", "any", "-cades",
             "-attime", str(int(NOW.timestamp())), "-out", "/dev/null"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        outcomes.append((done.returncode == 0, done.stderr))

    assert outcomes[0][0], outcomes[0][1]
    assert not outcomes[1][0]


def test_openssl_verifies_what_sm2_signs(ca: Ca, tmp_path: Path) -> None:
    """The attributes, with the distinguishing id; one other byte in them is refused."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    key = key_of(ca, KeyAlgorithm.SM2)
    form = CmsForm.of(key)
    attributes, signature = sign_cms(key, form, form.digest(CONTENT))
    (tmp_path / "signer.der").write_bytes(key.x509_chain[0])
    (tmp_path / "signature").write_bytes(signature)
    command = [openssl, "x509", "-inform", "DER", "-in", "signer.der", "-noout", "-pubkey"]
    public = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    (tmp_path / "public.pem").write_bytes(public)
    said = []
    for data in (attributes, attributes[:-1] + b"!"):
        (tmp_path / "data").write_bytes(data)
        done = subprocess.run(
            [openssl, "dgst", "-sm3", "-verify", "public.pem", "-signature", "signature",
             "-sigopt", "distid:1234567812345678", "data"],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        said.append(done.stdout.strip())

    assert said == ["Verified OK", "Verification failure"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exactly_three_attributes_are_signed(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """Content type, digest, certificate (EN 319 142-1 §5.3); the key sees their exact bytes."""
    key = key_of(ca, algorithm)
    info = cms.ContentInfo.load(signed(key), strict=True)
    (signer,) = info["content"]["signer_infos"]
    attributes = {item["type"].native: item["values"] for item in signer["signed_attrs"]}
    ((signing_input, format),) = key.signed

    assert signing_input == signer["signed_attrs"].untag().dump()
    assert format == "cms-attributes"
    assert set(attributes) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert attributes["content_type"].native == ["data"]
    named = tsp.SigningCertificateV2.load(attributes["signing_certificate_v2"][0].dump())
    leaf, meant = key.x509_chain[0], named["certs"][0]
    by_sm2 = algorithm is KeyAlgorithm.SM2
    assert meant["cert_hash"].native == (sm3(leaf) if by_sm2 else hashlib.sha256(leaf).digest())
    assert meant["hash_algorithm"]["algorithm"].dotted == (SM3_OID if by_sm2 else SHA256_OID)
    assert info["content"]["encap_content_info"]["content"].native is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_attributes_have_one_encoding(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """The signer reads the digest back; another key's, or any changed byte but the digest's, is
    refused."""
    form, other = CmsForm.of(key_of(ca, algorithm)), CmsForm.of(key_of(ca, algorithm))
    digest = form.digest(CONTENT)
    attributes = form.attributes(digest)

    assert form.digest_in(attributes) == digest
    with pytest.raises(ValueError, match="not the signed attributes"):
        other.digest_in(attributes)
    at = attributes.index(digest)
    for place in (*range(at), *range(at + len(digest), len(attributes))):
        changed = bytearray(attributes)
        changed[place] ^= 1
        with pytest.raises(ValueError, match="not the signed attributes"):
            form.digest_in(bytes(changed))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_whole_is_der(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """A second implementation that encodes anew comes to the same bytes."""
    data = signed(key_of(ca, algorithm))

    assert cms.ContentInfo.load(data, strict=True).dump(force=True) == data


def test_a_chain_is_a_set_in_order(ca: Ca) -> None:
    """DER sorts the elements of a SET OF; the signer is found by name, not by place."""
    key = key_of(ca)
    key.x509_chain = (*key.x509_chain, ca.root.public_bytes(Encoding.DER))
    certificates = cms.ContentInfo.load(signed(key))["content"]["certificates"]
    found = [item.dump() for item in certificates]

    assert found == sorted(key.x509_chain)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_of_another_key_is_not_used(ca: Ca, algorithm: KeyAlgorithm) -> None:
    """A device that lost its way: nothing is sealed with what the certificate does not verify."""
    key, other = key_of(ca, algorithm), key_of(ca, algorithm, 1)
    confused = MemoryKey(algorithm, other.private, key.x509_chain)
    form = CmsForm.of(confused)
    with pytest.raises(HubError) as refused:
        sign_cms(confused, form, form.digest(CONTENT))

    assert refused.value.reason is Reason.KEY_SIGNATURE_WRONG


def test_a_key_of_another_kind_has_no_form(ca: Ca) -> None:
    """A key without a certificate signs for nobody, and a certificate of another algorithm is of
    another key."""
    key, national = key_of(ca), key_of(ca, KeyAlgorithm.SM2)
    for wrong in (
        MemoryKey(KeyAlgorithm.ES384, key.private, key.x509_chain),
        MemoryKey(KeyAlgorithm.SM2, key.private, key.x509_chain),
        MemoryKey(KeyAlgorithm.ES256, national.private, national.x509_chain),
        MemoryKey(KeyAlgorithm.SM2, national.private, (b"\x30\x00",)),
        MemoryKey(KeyAlgorithm.ES256, key.private, ()),
    ):
        with pytest.raises(HubError) as refused:
            CmsForm.of(wrong)
        assert refused.value.reason is Reason.KEY_USAGE_REFUSED


@pytest.mark.parametrize(
    ("size", "head"),
    [(0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100")],
)
def test_lengths_are_minimal(size: int, head: str) -> None:
    """X.690 §10.1."""
    assert der(0x04, bytes(size)).hex().startswith(head)
