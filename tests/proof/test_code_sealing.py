"""What a signer compares before it signs the code of a face: each difference is refused."""

from __future__ import annotations

import dataclasses
from typing import Any, Final

import pytest

from hub.domain.certificate_type import CertificateType, from_json
from hub.domain.face import FaceContent
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u
from hub.proof.faces.code import FaceCode, read_face_code, sign_face_code, verify_face_code
from hub.proof.jose import FACE_TYP, STATUS_TYP, header_segment
from hub.proof.sealing.codes import check_code, code_of
from hub.proof.sealing.documents import DocumentOrder
from hub.proof.sealing.records import ApprovedIntent, StandingIntent
from tests.proof.test_face_code import CODE, NOW, SIGNER, keys
from tests.seal.faces.samples import ROOT

ISSUER: Final = CODE.issuer
VCT: Final = "https://hub.hangzhou.example/vct/11100000MB0143028R001"
TYPE: Final[CertificateType] = from_json(
    (ROOT / "deploy/catalogue/types/business-licence-2.json").read_bytes()
)
CONTENT: Final = FaceContent(
    version_id="v",
    certificate_id="c",
    authority="authorities/hz-market",
    type_code="11100000MB0143028R001",
    type_version=2,
    identifier=CODE.identifier,
    version=1,
    number=CODE.number,
    holders=(("001", CODE.number),),
    fields={"name": CODE.name},
    issue_date=CODE.valid_from,
    valid_from=CODE.valid_from,
    valid_until=CODE.valid_until,
    status_place=f"{CODE.status_list}/{CODE.status_place}",
)
FACE: Final = f"certificateTypes/{CONTENT.type_code.lower()}/faceTemplates/v001 digest"
ORDER: Final = DocumentOrder(ISSUER, VCT, 2, CODE.identifier, FACE)
STATED: Final = dataclasses.replace(CODE, iat=NOW)


def approved(**changes: Any) -> ApprovedIntent:
    intent = StandingIntent(
        origin=CODE.origin,
        region=CODE.region,
        seal="authorities/a/seals/s",
        authority=ISSUER,
        vct=VCT,
        type_version=2,
        manifest=None,
        not_before=NOW - 10,
        not_after=NOW + 1000,
        uses_max=10,
        requester="officers/zhao",
        documents=("original",),
    )
    return ApprovedIntent("intents/i", dataclasses.replace(intent, **changes), "d", NOW + 1000)


def to_sign(code: FaceCode = STATED, *, typ: str = FACE_TYP, kid: str = SIGNER.kid) -> bytes:
    """The signing input of a code."""
    caught: list[bytes] = []

    def sign(data: bytes) -> bytes:
        caught.append(data)
        return SIGNER.sign(data)

    sign_face_code(code, dataclasses.replace(SIGNER, sign=sign))
    payload = caught[0].split(b".")[1]
    return header_segment(typ, kid).encode() + b"." + payload


def refused(data: bytes, intent: ApprovedIntent | None = None, order: DocumentOrder = ORDER) -> str:
    with pytest.raises(HubError) as caught:
        check_code(intent or approved(), order, data, stated=STATED, kid=SIGNER.kid, now=NOW)
    assert caught.value.reason is Reason.INTENT_NOT_APPROVED
    return str(caught.value.details["rule"])


def test_the_code_of_a_certificate_is_signed_and_says_what_it_says() -> None:
    stated = code_of(CONTENT, TYPE, origin=CODE.origin, region=CODE.region, now=NOW)
    assert stated == STATED

    check_code(approved(), ORDER, to_sign(), stated=STATED, kid=SIGNER.kid, now=NOW)

    text = sign_face_code(STATED, SIGNER)
    read = verify_face_code(text, keys=keys(), origin=CODE.origin, region=CODE.region, now=NOW)
    assert read == STATED


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (
            to_sign(dataclasses.replace(STATED, name="杭州别家有限公司")),
            "other than the certificate",
        ),
        (to_sign(dataclasses.replace(STATED, valid_until="2099-01-01")), "other than the cert"),
        (to_sign(dataclasses.replace(STATED, status_place=1)), "other than the certificate"),
        (to_sign(dataclasses.replace(STATED, iat=NOW - 3600)), "another time"),
        (to_sign(typ=STATUS_TYP), "no code"),
        (to_sign(kid="A" * 43), "no code"),
        (b"", "no code"),
        (to_sign() + b".more", "no code"),
        (f"{header_segment(FACE_TYP, SIGNER.kid)}.{b64u(b'{}')}".encode(), "no code"),
    ],
)
def test_what_is_not_the_code_of_this_certificate_is_refused(data: bytes, rule: str) -> None:
    assert rule in refused(data)


def test_an_order_that_is_not_approved_signs_no_code() -> None:
    """Another kind of file, another certificate, another authority, another moment."""
    assert "kind" in refused(to_sign(), approved(documents=("annotated-copy",)))
    assert "in force" in refused(to_sign(), approved(not_before=NOW + 1))
    other = dataclasses.replace(ORDER, identifier=ORDER.identifier.replace(".001.", ".002."))
    assert "another certificate" in refused(to_sign(), order=other)
    uscc = "11330105002500287C"
    elsewhere = dataclasses.replace(ORDER, authority_uscc=uscc)
    assert "issuer" in refused(to_sign(), approved(authority=uscc), elsewhere)


def test_what_prints_no_name_has_no_signed_code_and_one_without_number_none_in_it() -> None:
    """A number that the hub knows as a hash only comes from the field that prints it."""
    nameless = dataclasses.replace(CONTENT, fields={})
    unnumbered = dataclasses.replace(CONTENT, number="")
    (printed,) = [one for one in TYPE.fields if one.name == "credit_code"]
    numbered = dataclasses.replace(printed, short_name="ZZBH")
    fields = tuple(numbered if one is printed else one for one in TYPE.fields)
    by_field = dataclasses.replace(unnumbered, fields={**CONTENT.fields, "credit_code": "91"})

    def code(content: FaceContent, kind: CertificateType = TYPE) -> FaceCode | None:
        return code_of(content, kind, origin=CODE.origin, region="r", now=NOW)

    assert code(nameless) is None
    alone = code(unnumbered)
    assert alone is not None and alone.number == ""
    assert read_face_code(sign_face_code(alone, SIGNER)) == alone
    made = code(by_field, dataclasses.replace(TYPE, fields=fields))
    assert made is not None and made.number == "91"
