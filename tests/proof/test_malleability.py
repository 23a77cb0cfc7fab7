"""Another text for the same seal: damaged, mirrored, written otherwise, wrapped, exchanged.

All kinds go through the engine as a whole, each from a file that is valid (a signature under a seal
lacks its content, and nothing else), so that what is refused is refused for what was done to it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from asn1crypto import cms
from asn1crypto.algos import DSASignature
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.certificate import Custody
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.key_checks import key_digest
from hub.proof.log import merkle, note
from hub.proof.ofd.document import open_package
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.recognise import recognise
from hub.proof.records.status_list import Status
from hub.proof.reports.report import Fact, FactName, Kind, Report
from hub.proof.run import Evidence
from hub.proof.ses.seal import assemble_seal, parse_seal
from hub.proof.sm2 import SM2_WITH_SM3, signature_from_raw, signature_to_raw
from hub.proof.trust import KeyCustody, Trust, parse_trust
from hub.proof.verify import verify
from tests.proof.jose_vectors import NOW, ORIGIN
from tests.proof.seals import seal_of, signature_of
from tests.proof.test_ofd_verify import OFFICE, OTHER, SEALED, report_on
from tests.proof.test_pdf import verified
from tests.proof.test_pdf_tricks import CA, KEY
from tests.proof.test_pdf_tricks import SEALED as SEALED_PDF
from tests.proof.test_ses_verify import EVIDENCE, MAKER, SEAL, SIGNATURE, SIGNER, TRUST
from tests.proof.test_verify_command import LOG_KEY, TWO_FIELDS, hub_trust, leaves, status_token

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SM2_ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

SPKI = KEY.private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
HUB = parse_trust(hub_trust())
STATUS = status_token(Status.VALID)
CHECKPOINT = note.sign_checkpoint(ORIGIN, 5, merkle.root(leaves()[:5]), LOG_KEY)


def of_hub(data: bytes) -> Report | None:
    kind = recognise(data)
    return None if kind is None else verify(data, kind, HUB, Evidence(NOW, status_tokens=(STATUS,)))


def of_seals(data: bytes) -> Report | None:
    kind = recognise(data)
    return None if kind is None else verify(data, kind, TRUST, EVIDENCE)


def of_ofd(data: bytes) -> Report | None:
    return report_on(data) if recognise(data) is Kind.OFD else None


def of_pdf(data: bytes) -> Report | None:
    return verified(data, CA) if recognise(data) is Kind.PDF else None


@dataclass(frozen=True)
class Sample:
    """A file, how it is verified, and what two files that mean the same have in common."""

    data: bytes
    verify: Callable[[bytes], Report | None]
    meaning: Callable[[bytes], object] = bytes


def contents(document: bytes) -> bytes:
    """A PDF but for the case of the hexadecimal digits of its signature."""
    return re.sub(rb"(?<=/Contents <)[0-9a-fA-F]+", lambda found: found[0].lower(), document)


SAMPLES = {
    "record seal": Sample(TWO_FIELDS.encode(), of_hub, bytes.strip),
    "status list": Sample(STATUS.encode(), of_hub, bytes.strip),
    "checkpoint": Sample(CHECKPOINT.encode(), of_hub),
    "electronic seal": Sample(SEAL, of_seals),
    "signature under a seal": Sample(SIGNATURE, of_seals),
    "OFD": Sample(SEALED.to_bytes(), of_ofd, lambda data: open_package(data).files),
    "PDF": Sample(SEALED_PDF, of_pdf, contents),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_holds(name: str) -> None:
    """Or the rest of this file would prove nothing."""
    report = SAMPLES[name].verify(SAMPLES[name].data)

    assert report is not None
    missing = [ProofReason.NO_CONTENT] if name == "signature under a seal" else []
    assert [step.reason for step in report.steps if step.reason is not None] == missing


@pytest.mark.parametrize("name", SAMPLES)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damage_is_never_valid(name: str, data: st.DataObject) -> None:
    """A byte replaced, put in or taken out anywhere: refused, or it means what it meant."""
    sample = SAMPLES[name]
    raw = bytearray(sample.data)
    at = data.draw(st.integers(0, len(raw) - 1))
    change = data.draw(st.sampled_from(["replace", "insert", "delete"]))
    byte = data.draw(st.integers(0, 255))
    if change != "insert":
        del raw[at]
    if change != "delete":
        raw.insert(at, byte)

    report = sample.verify(bytes(raw))

    if report is None or sample.data == raw:
        return
    if report.verdict is Verdict.VALID:
        assert sample.meaning(bytes(raw)) == sample.meaning(sample.data)
    elif name == "signature under a seal":
        assert report.reason is not ProofReason.NO_CONTENT


# -- The same signature, written otherwise ---------------------------------------------------------


def mirrored(compact: str) -> str:
    """A JWS with the other of the two ECDSA signatures that a verifier of P-256 accepts."""
    content, _, signature = compact.rpartition(".")
    raw = b64u_decode(signature)
    s = P256_ORDER - int.from_bytes(raw[32:], "big")
    return f"{content}.{b64u(raw[:32] + s.to_bytes(32, 'big'))}"


def spare_bits(compact: str) -> str:
    """A JWS whose last character has bits that decode to nothing."""
    return compact[:-1] + chr(ord(compact[-1]) + 1)


def mirrored_record(data: bytes) -> bytes:
    compact, rest = data.decode().split("~", 1)
    return f"{mirrored(compact)}~{rest}".encode()


def second_scalar(data: bytes) -> bytes:
    """A note whose Ed25519 signature has S + L, which lenient verifiers take for S."""
    head, _, line = data.decode().rstrip("\n").rpartition(" ")

    raw = base64.b64decode(line)
    s = int.from_bytes(raw[36:], "little") + ED25519_ORDER
    return f"{head} {base64.b64encode(raw[:36] + s.to_bytes(32, 'little')).decode()}\n".encode()


def long_length(data: bytes) -> bytes:
    """DER whose outer length has one byte more than it needs: BER, the same value."""
    count = data[1] & 0x7F
    return data[:1] + bytes([data[1] + 1, 0]) + data[2 : 2 + count] + data[2 + count :]


def indefinite_length(data: bytes) -> bytes:
    """The same without any length, ended by two zero bytes."""
    count = data[1] & 0x7F
    return data[:1] + b"\x80" + data[2 + count :] + bytes(2)


def with_signature(change: Callable[[bytes], bytes]) -> bytes:
    """The seal with its maker's signature changed."""
    seal = parse_seal(SEAL)
    return assemble_seal(seal.signed_bytes, seal.maker_x509, SM2_WITH_SM3, change(seal.signature))


def scalars(change: Callable[[int, int], tuple[int, int]]) -> Callable[[bytes], bytes]:
    def changed(der: bytes) -> bytes:
        raw = signature_to_raw(der)
        r, s = change(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        return bytes(DSASignature({"r": r, "s": s}).dump())

    return changed


def padded_integer(der: bytes) -> bytes:
    """r with a zero byte before it that it does not need."""
    length = der[3]
    return bytes([0x30, der[1] + 1, 0x02, length + 1, 0]) + der[4:]


MALFORMED, FORGED = ProofReason.SEAL_MALFORMED, ProofReason.SEAL_SIGNATURE_INVALID
WRITTEN_OTHERWISE = {
    "record seal, mirrored": (
        "record seal",
        mirrored_record,
        (Verdict.INVALID, ProofReason.SIGNATURE_HIGH_S),
    ),
    "status list, mirrored": (
        "status list",
        lambda data: mirrored(data.decode()).encode(),
        (Verdict.CANNOT_CHECK, ProofReason.SIGNATURE_HIGH_S),
    ),
    "status list, spare bits": (
        "status list",
        lambda data: spare_bits(data.decode()).encode(),
        (Verdict.CANNOT_CHECK, ProofReason.BASE64_NON_CANONICAL),
    ),
    "checkpoint, S + L": (
        "checkpoint",
        second_scalar,
        (Verdict.INVALID, ProofReason.NOTE_SIGNATURE),
    ),
    "seal, long length": ("electronic seal", long_length, (Verdict.INVALID, MALFORMED)),
    "seal, no length": ("electronic seal", indefinite_length, (Verdict.INVALID, MALFORMED)),
    "seal, more behind it": (
        "electronic seal",
        lambda data: data + b"\0",
        (Verdict.INVALID, MALFORMED),
    ),
    "seal, padded integer": (
        "electronic seal",
        lambda _: with_signature(padded_integer),
        (Verdict.INVALID, FORGED),
    ),
    "seal, s mirrored": (
        "electronic seal",
        lambda _: with_signature(scalars(lambda r, s: (r, SM2_ORDER - s))),
        (Verdict.INVALID, FORGED),
    ),
    "seal, s + n": (
        "electronic seal",
        lambda _: with_signature(scalars(lambda r, s: (r, s + SM2_ORDER))),
        (Verdict.INVALID, FORGED),
    ),
    "seal, r negative": (
        "electronic seal",
        lambda _: with_signature(scalars(lambda r, s: (r - SM2_ORDER, s))),
        (Verdict.INVALID, FORGED),
    ),
    "seal, raw signature": (
        "electronic seal",
        lambda _: with_signature(signature_to_raw),
        (Verdict.INVALID, FORGED),
    ),
    "signature, long length": (
        "signature under a seal",
        long_length,
        (Verdict.INVALID, MALFORMED),
    ),
}


@pytest.mark.parametrize("case", WRITTEN_OTHERWISE)
def test_the_same_signature_written_otherwise_is_refused(case: str) -> None:
    """Or it has a second digest, under which it slips past whoever compares digests."""
    name, change, expected = WRITTEN_OTHERWISE[case]
    sample = SAMPLES[name]

    report = sample.verify(change(sample.data))

    assert report is not None
    assert (report.verdict, report.reason) == expected


def in_half(document: bytes, *, high: bool) -> bytes:
    """A sealed PDF with that one of the two ECDSA signatures whose s is high, or low."""
    found = re.search(rb"/Contents <([0-9a-fA-F]+)>", document)
    assert found is not None
    raw = bytes.fromhex(found[1].decode())
    info = cms.ContentInfo.load(raw)
    (signer,) = info["content"]["signer_infos"]
    r, s = decode_dss_signature(signer["signature"].native)
    low, other = sorted((s, P256_ORDER - s))
    signer["signature"] = encode_dss_signature(r, other if high else low)
    written = info.dump(force=True).ljust(len(raw), b"\0").hex().encode()
    return document[: found.start(1)] + written + document[found.end(1) :]


def test_a_mirrored_signature_in_a_strangers_pdf_is_the_same_seal() -> None:
    """RFC 5753 has no rule of low s, and half of the signatures of others are high."""
    low, high = in_half(SEALED_PDF, high=False), in_half(SEALED_PDF, high=True)

    assert low != high
    assert verified(low, CA).verdict is Verdict.VALID
    assert verified(high, CA).verdict is Verdict.VALID


def test_a_mirrored_signature_in_a_pdf_of_ours_is_refused() -> None:
    """Keys of ours make low s: the other one was made by somebody who has the file alone."""
    ours = (KeyCustody(key_digest(SPKI), Custody.HUB_FILE),)

    low = verified(in_half(SEALED_PDF, high=False), CA, custodies=ours)
    high = verified(in_half(SEALED_PDF, high=True), CA, custodies=ours)

    assert low.verdict is Verdict.VALID
    assert Fact(FactName.CUSTODY, "hub-file", 1) in low.facts
    assert (high.verdict, high.reason) == (Verdict.INVALID, ProofReason.SIGNATURE_HIGH_S)


# -- Genuine parts in the wrong place --------------------------------------------------------------


def test_a_seal_is_no_signature_and_a_signature_no_seal() -> None:
    """One taken for the other, whatever its name says."""
    assert verify(SEAL, Kind.SEAL_SIGNATURE, TRUST, EVIDENCE).verdict is Verdict.INVALID
    assert verify(SIGNATURE, Kind.SEAL, TRUST, EVIDENCE).verdict is Verdict.INVALID


def test_a_picture_that_was_exchanged_is_found() -> None:
    """It is part of what the maker signed."""
    data = SEAL.replace(bytes.fromhex("89504e470d0a1a0a") + bytes(8), bytes(16))

    report = of_seals(data)

    assert data != SEAL
    assert report is not None
    assert (report.verdict, report.reason) == (Verdict.INVALID, FORGED)


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        # A genuine seal, and a genuine signer who is not in its list.
        (signature_of(MAKER, SEAL), ProofReason.SIGNER_NOT_IN_SEAL),
        # A seal that its signer made for himself.
        (signature_of(SIGNER, seal_of(OTHER.maker, SIGNER)), ProofReason.X509_UNTRUSTED),
        # The signer of one office under the seal of the other.
        (signature_of(OFFICE.signer, SEAL), ProofReason.SIGNER_NOT_IN_SEAL),
    ],
)
def test_a_seal_of_somebody_else_is_no_seal(signature: bytes, reason: ProofReason) -> None:
    """Seal and signature hold each by itself, and not together."""
    report = of_seals(signature)

    assert report is not None
    assert (report.verdict, report.reason) == (Verdict.INVALID, reason)


@pytest.mark.parametrize("anchor", ["maker_anchors", "signer_anchors", "seal_anchors"])
def test_an_anchor_counts_for_its_own_use_alone(anchor: str) -> None:
    """Who may make seals may not sign documents for that, nor the other way round."""
    pinned = Trust("o", "r", **{anchor: TRUST.maker_anchors})  # type: ignore[arg-type]

    seal, signature = (verify(data, kind, pinned, EVIDENCE) for data, kind in SEALS)

    assert (seal.verdict is Verdict.VALID) == (anchor == "maker_anchors")
    assert signature.verdict is not Verdict.VALID
    assert len([step for step in signature.steps if step.reason is not None]) > 1


SEALS = ((SEAL, Kind.SEAL), (SIGNATURE, Kind.SEAL_SIGNATURE))


def test_raw_and_der_signatures_are_two_forms_of_one() -> None:
    """So that what the cases above change is what they say."""
    der = parse_seal(SEAL).signature

    assert signature_from_raw(signature_to_raw(der)) == der
