"""`sealway verify` of a code: by pinned issuers, and never more than "compare with the paper"."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from typer.testing import CliRunner

from hub.cli.verify import app
from hub.domain.qr_text import QrText, preview_text
from hub.proof.faces.code import sign_face_code
from hub.proof.faces.code_checks import check_face_code
from hub.proof.faces.facts import FaceFacts
from hub.proof.jose import es256_signer
from hub.proof.key_checks import UNVERIFIED, key_digest
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.reports.report import FactName, Kind, Remark, Report, StepName
from hub.proof.run import Evidence, Run
from hub.proof.trust import Compromise, Trust, parse_trust, trust_file
from hub.proof.verify import verify
from tests.proof.test_face_code import CODE, ISSUER, KEY, NOW, SIGNER

TEXT = sign_face_code(CODE, SIGNER)


def certificate(
    key: ec.EllipticCurvePrivateKey = KEY, issuer: str = ISSUER, *, since_s: int = 3600
) -> x509.Certificate:
    """A certificate of a key for codes, in force since so long before NOW, for a day."""
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, "示例部门")]
    attributes += [x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, issuer)]
    start = datetime.fromtimestamp(NOW - since_s, UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name(attributes))
        .issuer_name(x509.Name(attributes))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=1))
        .sign(KEY, hashes.SHA256())
    )


SPKI = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
TRUST = Trust(CODE.origin, CODE.region, face_certificates=(certificate(),))


def judged(text: str = TEXT, trust: Trust = TRUST, now: int = NOW) -> Report:
    return verify(text.encode(), Kind.FACE_CODE, trust, Evidence(now=now))


def reason_of(report: Report, step: StepName = StepName.CODE) -> ProofReason | None:
    return next(one.reason for one in report.steps if one.name is step)


def test_a_signed_code_says_what_the_paper_must_say() -> None:
    """Without its status list it is cannot check; what it says is shown beside."""
    report = judged()

    facts = {fact.name: fact.value for fact in report.facts}
    assert (facts[FactName.NAME], facts[FactName.NUMBER]) == (CODE.name, CODE.number)
    assert (report.verdict, report.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_STATUS)
    assert parse_trust(trust_file(TRUST)) == TRUST


@pytest.mark.parametrize(
    ("text", "trust", "verdict", "reason"),
    [
        (
            str(QrText(CODE.origin, CODE.identifier, 12, 34567)),
            TRUST,
            Verdict.CANNOT_CHECK,
            ProofReason.CODE_UNSIGNED,
        ),
        (
            preview_text(CODE.origin, CODE.identifier),
            TRUST,
            Verdict.INVALID,
            ProofReason.CODE_PREVIEW,
        ),
        ("SEALWAY:2:garbage", TRUST, Verdict.INVALID, ProofReason.CODE_MALFORMED),
        ("SEALWAY:3:", TRUST, Verdict.INVALID, ProofReason.CODE_MALFORMED),
        (
            sign_face_code(CODE, es256_signer(ec.generate_private_key(ec.SECP256R1()))),
            TRUST,
            Verdict.CANNOT_CHECK,
            ProofReason.KEY_UNKNOWN,
        ),
        (
            TEXT,
            Trust(CODE.origin, CODE.region),
            Verdict.CANNOT_CHECK,
            ProofReason.NO_FACE_PIN,
        ),
        (
            TEXT,
            dataclasses.replace(
                TRUST, face_certificates=(certificate(issuer="11330105002500287C"),)
            ),
            Verdict.INVALID,
            ProofReason.ISSUER_MISMATCH,
        ),
        (
            TEXT,
            dataclasses.replace(TRUST, face_certificates=(certificate(since_s=90_000),)),
            Verdict.INVALID,
            ProofReason.X509_EXPIRED,
        ),
        (
            TEXT,
            dataclasses.replace(TRUST, face_certificates=(certificate(since_s=50),)),
            Verdict.INVALID,
            ProofReason.X509_NOT_YET_VALID,
        ),
    ],
)
def test_a_code_is_believed_of_a_pinned_issuer_only(
    text: str, trust: Trust, verdict: Verdict, reason: ProofReason
) -> None:
    report = judged(text, trust)

    assert (report.verdict, reason_of(report)) == (verdict, reason)
    assert [(one.name, one.value) for one in report.facts] == [(FactName.CUSTODY, UNVERIFIED)]


def test_a_stolen_key_and_a_day_that_is_over_end_a_code() -> None:
    """Nobody outside says when a code was signed."""
    stolen = dataclasses.replace(TRUST, compromised=(Compromise(key_digest(SPKI), CODE.iat),))

    assert reason_of(judged(trust=stolen), StepName.SIGNER_KEY) is ProofReason.KEY_COMPROMISED
    later = int(datetime(2046, 2, 1, tzinfo=UTC).timestamp())
    assert reason_of(judged(now=later), StepName.CODE_DAYS) is ProofReason.CODE_DAYS


@pytest.mark.parametrize(
    ("item", "value", "differs"),
    [
        ("ZZBH", CODE.number, ""),
        ("ZZBS", CODE.identifier.replace(".001.", ".002."), "identifier"),
        ("ZZBH", "other", "number"),
        ("ZZYXQQSRQ", "20250131", "from"),
        ("ZZYXQJZRQ", "", "until"),
        ("CZZT", "别人", "name"),
        ("SEALWAY_CODE", str(QrText(CODE.origin, CODE.identifier, 12, 34567)), ""),
        ("SEALWAY_CODE", str(QrText(CODE.origin, "1.2.156", 12, 34567)), "identifier"),
    ],
)
@pytest.mark.parametrize("trust", [TRUST, Trust(CODE.origin, CODE.region)])
def test_a_code_in_a_file_must_agree_with_the_file(
    item: str, value: str, differs: str, trust: Trust
) -> None:
    """A genuine code on somebody else's face, however well that is sealed; also where nobody pinned
    its issuer, which is said."""
    items = {
        "ZZBS": CODE.identifier,
        "ZZBH": CODE.number,
        "ZZYXQQSRQ": "20260131",
        "ZZYXQJZRQ": "20460130",
        "CZZT": CODE.name,
        "SEALWAY_CODE": TEXT,
    } | {item: value}
    facts = FaceFacts(items["ZZBS"], "face", None, items)
    run = Run(Kind.PDF)

    def check() -> None:
        check_face_code(run, facts, trust, Evidence(now=NOW))

    if not differs:
        check()
        is_open = not trust.face_certificates and item != "SEALWAY_CODE"
        assert (Remark.CODE_NOT_PINNED in run.report().remarks) is is_open
        return
    with pytest.raises(ProofError) as caught:
        check()
    assert caught.value.reason is ProofReason.FACE_CODE_DIFFERS
    assert caught.value.detail == differs


def test_the_command_takes_a_code_as_argument_from_a_file_and_from_standard_input(
    tmp_path: Path,
) -> None:
    trust, file = tmp_path / "trust.json", tmp_path / "code.txt"
    trust.write_bytes(trust_file(TRUST))
    file.write_text(f"{TEXT}\r\n", encoding="utf-8")
    runner = CliRunner()

    def ask(given: str, stdin: str = "") -> dict[str, Any]:
        words = [given, "--trust", str(trust), "--as-of", str(NOW), "--json"]
        done = runner.invoke(app, words, input=stdin)
        assert done.exit_code == 2, done.output
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    reports = [ask(TEXT), ask(str(file)), ask("-", f"{TEXT}\n")]

    assert {one["kind"] for one in reports} == {"code on a face"}
    assert {one["reason"] for one in reports} == {"NO_STATUS"}
    assert all(CODE.name in [fact["value"] for fact in one["facts"]] for one in reports)
