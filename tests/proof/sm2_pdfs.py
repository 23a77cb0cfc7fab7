"""PDF documents signed with SM2 by Bouncy Castle (Java): `python -m tests.proof.sm2_pdfs` writes
the golden ones anew, with the root and the revocation list of their signer."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from hub.proof.x509.make_sm2 import make_crl
from tests.ofdrw import sign_cms
from tests.pdf_documents import Ca, key_of, sealed
from tests.proof.sm2_pki import ENDS, STARTS, Member, root

GOLDEN: Final = Path(__file__).resolve().parent.parent / "golden"
FORMS: Final = ("ess", "plain", "gm")
ROOT: Final = GOLDEN / "sm2-pdf-root.der"
CRL: Final = GOLDEN / "sm2-pdf.crl"
_CONTENTS: Final = re.compile(rb"/Contents <([0-9a-fA-F]+)>")


def golden(form: str) -> bytes:
    """A PDF whose CMS has this form; see tests/interop/ofdrw/Cms.java."""
    return (GOLDEN / f"sm2-{form}.pdf").read_bytes()


def with_cms(document: bytes, cms: bytes) -> bytes:
    """`document` with another CMS in the place of its only signature."""
    found = _CONTENTS.search(document)
    assert found is not None
    written = cms.hex().encode().ljust(len(found[1]), b"0")
    assert len(written) == len(found[1]), "the place is too small"
    return document[: found.start(1)] + written + document[found.end(1) :]


def cms_of(document: bytes) -> bytes:
    """The CMS of the only signature, with its padding."""
    found = _CONTENTS.search(document)
    assert found is not None
    return bytes.fromhex(found[1].decode())


def signed_by_java(signer: Member, forms: tuple[str, ...] = FORMS) -> dict[str, bytes]:
    """A licence with a place for a seal, signed in each form. Raises OfdrwAbsent."""
    document = sealed(key_of(Ca()))
    found = _CONTENTS.search(document)
    assert found is not None
    content = document[: found.start(1) - 1] + document[found.end(1) + 1 :]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "key.pk8").write_bytes(signer.key.to_pkcs8())
        (folder / "signer.der").write_bytes(signer.der)
        (folder / "content").write_bytes(content)
        sign_cms(folder, [(form, folder / "content", folder / form) for form in forms])
        return {form: with_cms(document, (folder / form).read_bytes()) for form in forms}


def write() -> None:
    """Make the golden files anew."""
    authority = root()
    for form, document in signed_by_java(authority.issue("签章者", serial=77)).items():
        (GOLDEN / f"sm2-{form}.pdf").write_bytes(document)
    ROOT.write_bytes(authority.der)
    CRL.write_bytes(
        make_crl(
            issuer=authority.subject,
            this_update=STARTS,
            next_update=ENDS,
            revoked={},
            sign=authority.key.sign,
        )
    )


if __name__ == "__main__":
    write()
