"""What we seal, judged by poppler's `pdfsig` and Mozilla's NSS."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.domain.seal_key import KeyAlgorithm
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_archive import add_evidence
from hub.seal.documents.pdf_seal import prepare_further
from tests.pdf_documents import DAY, NOW, SECOND, Ca, MemoryKey, appended, key_of, picture, sealed
from tests.pdfsig import Pdfsig, needs_pdfsig
from tests.pdfsig import outcomes as outcomes_of


@pytest.fixture(scope="module")
def pdfsig() -> Pdfsig:
    return needs_pdfsig()


@pytest.fixture(scope="module")
def ca() -> Ca:
    return Ca()


def outcomes(pdfsig: Pdfsig, folder: Path, document: bytes, ca: Ca) -> list[tuple[str, str]]:
    """As `tests.pdfsig.outcomes`, with the root of `ca`."""
    return outcomes_of(pdfsig, folder, document, ca.root.public_bytes(Encoding.PEM))


def long_key(ca: Ca, algorithm: KeyAlgorithm = KeyAlgorithm.ES256) -> MemoryKey:
    """`pdfsig` judges certificates by its own clock."""
    return key_of(ca, algorithm, ends=NOW + 3650 * DAY)


GOOD = ("Signature is Valid.", "Certificate is Trusted.")


# NSS knows no Ed25519 in CMS and says "Document isn't signed"; pyHanko checks these.
@pytest.mark.parametrize("algorithm", [KeyAlgorithm.ES256, KeyAlgorithm.ES384, KeyAlgorithm.PS256])
def test_pdfsig_accepts_a_seal(
    pdfsig: Pdfsig, ca: Ca, tmp_path: Path, algorithm: KeyAlgorithm
) -> None:
    """Signature and chain."""
    document = sealed(long_key(ca, algorithm))

    assert outcomes(pdfsig, tmp_path, document, ca) == [GOOD]


def test_pdfsig_accepts_seals_that_follow_and_evidence(
    pdfsig: Pdfsig, ca: Ca, tmp_path: Path
) -> None:
    """A second seal in its declared place, and a security store behind both."""
    key = long_key(ca)
    form = CmsForm.of(key)
    document = sealed(key, further=(SECOND,))
    document = prepare_further(document, SECOND.field, picture(), form).seal(key, form, NOW)
    crl = ca.crl().public_bytes(Encoding.DER)
    document = add_evidence(document, [ca.root.public_bytes(Encoding.DER)], [crl])

    assert outcomes(pdfsig, tmp_path, document, ca) == [GOOD, GOOD]


def test_pdfsig_refuses_what_was_changed(pdfsig: Pdfsig, ca: Ca, tmp_path: Path) -> None:
    """The test can fail: another byte under the seal, and another root."""
    document = sealed(long_key(ca))
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    changed = outcomes(pdfsig, tmp_path / "a", document.replace(b"Acme", b"Evil"), ca)
    stranger = outcomes(pdfsig, tmp_path / "b", document, Ca())

    assert changed[0][0] == "Digest Mismatch."
    assert stranger[0] == ("Signature is Valid.", "Certificate issuer is unknown.")


def test_pdfsig_is_laxer_than_we_are(pdfsig: Pdfsig, ca: Ca, tmp_path: Path) -> None:
    """It takes no offence at a change after the seal: why we compare revisions ourselves."""
    document = appended(sealed(long_key(ca)), {90: b"null"})

    assert outcomes(pdfsig, tmp_path, document, ca) == [GOOD]
