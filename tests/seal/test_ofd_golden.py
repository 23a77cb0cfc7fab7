"""A sealed OFD that was made once: it stays valid, and we still sign the same bytes.

What is sealed may change only on purpose, with an ADR: then delete `sealed.ofd` and run
`SEALWAY_GOLDEN=write pytest tests/seal/test_ofd_golden.py`, which makes a new one under new keys.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Final

from cryptography import x509

from hub.proof.ofd.document import ENTRY_FILE
from hub.proof.reasons import Verdict
from hub.proof.reports.report import FactName, Kind
from hub.proof.run import Evidence
from hub.proof.ses.seal import parse_signature
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.proof.x509.sm2 import parse_x509
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import OfdSealer
from tests.ofd_sealing import PLACE, TIME, MemberKey, Office
from tests.proof import ofd_samples as samples
from tests.proof.sm2_pki import root

GOLDEN: Final = Path(__file__).parent.parent / "golden"
DOCUMENT: Final = GOLDEN / "sealed.ofd"
ROOT: Final = GOLDEN / "sealed-ofd-root.der"
CRL: Final = GOLDEN / "sealed-ofd.crl"
SIGN: Final = "Doc_0/Signs/Sign_0"


@cache
def golden() -> OfdPackage:
    """The sealed document, made first where there is none and that was asked for."""
    if not DOCUMENT.exists() and os.environ.get("SEALWAY_GOLDEN") == "write":
        office = Office.open()
        DOCUMENT.write_bytes(office.sealed(closing=True).to_bytes())
        ROOT.write_bytes(office.root.der)
        CRL.write_bytes(office.crl_der())
    return OfdPackage.from_bytes(DOCUMENT.read_bytes())


def test_the_golden_document_is_valid() -> None:
    """Whoever verifies it in ten years with these pins must say the same."""
    golden()
    anchor = (x509.load_der_x509_certificate(ROOT.read_bytes()),)
    trust = Trust("hub.example", "330000", maker_anchors=anchor, signer_anchors=anchor)
    evidence = Evidence(now=int(TIME.timestamp()) + 60, crls=(CRL.read_bytes(),))

    report = verify(DOCUMENT.read_bytes(), Kind.OFD, trust, evidence)

    assert [step for step in report.steps if step.reason] == []
    assert report.verdict is Verdict.VALID
    assert {fact.value for fact in report.facts if fact.name is FactName.SEAL_NAME} == {
        "测试专用章"
    }


def test_the_golden_document_is_what_we_would_sign_today() -> None:
    """Every file but the signature value, and the bytes that were signed, to the last byte."""
    sealed = golden()
    value = parse_signature(sealed.files[f"{SIGN}/SignedValue.dat"])
    chains = tuple(
        (parse_x509(der), parse_x509(ROOT.read_bytes()))
        for der in (value.seal.maker_x509, value.signer_x509)
    )
    # What is prepared needs no key.
    sealer = OfdSealer(value.seal, MemberKey(root()), (chains[0], chains[1]))

    prepared = sealer.prepare(samples.package(), [PLACE], TIME, closing=True)

    assert prepared.to_sign == value.signed_bytes
    assert dict(prepared.files) == {
        name: data for name, data in sealed.files.items() if not name.endswith("SignedValue.dat")
    }


def test_the_golden_document_begins_with_its_entry_file() -> None:
    """Viewers that look no further than the first entry find what it is."""
    assert next(iter(golden().files)) == ENTRY_FILE
    assert DOCUMENT.read_bytes()[30 : 30 + len(ENTRY_FILE)] == ENTRY_FILE.encode()
