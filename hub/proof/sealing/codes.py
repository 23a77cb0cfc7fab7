"""What a signer demands before a key signs the code of a face (formats.md §11, docs/adr/0057).

A code is signed under the standing intent of the document that it stands on. Whoever holds the key
makes the code again from the certificate itself (`code_of`), and signs nothing else (`check_code`).
"""

from __future__ import annotations

import dataclasses

from hub.domain.certificate_type import CertificateType
from hub.domain.face import FaceContent
from hub.proof.encoding import b64u, b64u_decode
from hub.proof.faces.code import FaceCode, code_payload, read_payload
from hub.proof.jose import FACE_TYP, header_segment
from hub.proof.reasons import ProofError
from hub.proof.sealing.documents import DocumentOrder, check_document_order
from hub.proof.sealing.records import SKEW_S, ApprovedIntent, refused


def code_of(
    content: FaceContent, certificate_type: CertificateType, *, origin: str, region: str, now: int
) -> FaceCode | None:
    """What the code of a certificate version says, made at `now` (seconds); None where it has no
    holder's name to be printed. `certificate_type` is that of the content."""
    name = content.holder_name(certificate_type)
    if not name:
        return None
    listed, place = content.status_place.split("/")
    return FaceCode(
        origin=origin,
        region=region,
        identifier=content.identifier,
        type_version=content.type_version,
        name=name,
        number=content.printed_number(certificate_type),
        valid_from=content.valid_from,
        valid_until=content.valid_until,
        status_list=int(listed),
        status_place=int(place),
        iat=now,
    )


def check_code(
    approved: ApprovedIntent,
    order: DocumentOrder,
    to_sign: bytes,
    *,
    stated: FaceCode | None,
    kid: str,
    now: int,
) -> None:
    """`to_sign`, the signing input under the key `kid`, is the code of the certificate that `order`
    is about, as `stated` by `code_of`, and of this moment.

    Whoever holds the key away from the register cannot state what the certificate says (None): it
    takes holder, number, days and place of the status from the hub. Raises
    HubError(INTENT_NOT_APPROVED) with the rule.
    """
    check_document_order(approved, order, now=now)
    try:
        code = read_code(to_sign)
    except ProofError as error:
        raise refused(approved.name, "the bytes are no code under this key") from error
    if to_sign != f"{header_segment(FACE_TYP, kid)}.{b64u(code_payload(code))}".encode():
        raise refused(approved.name, "the bytes are no code under this key")
    if (code.origin, code.region) != (approved.intent.origin, approved.intent.region):
        raise refused(approved.name, "the code names another hub")
    if (code.identifier, code.type_version) != (order.identifier, order.type_version):
        raise refused(approved.name, "the code names another certificate")
    if code.issuer != order.authority_uscc:
        raise refused(approved.name, "the code names another issuer than the seal's authority")
    if stated is not None and code != dataclasses.replace(stated, iat=code.iat):
        raise refused(approved.name, "the code says other than the certificate")
    if abs(code.iat - now) > SKEW_S:
        raise refused(approved.name, "the code is of another time")


def read_code(to_sign: bytes) -> FaceCode:
    """What the code with this signing input says; header and encoding are not looked at.

    Raises ProofError.
    """
    return read_payload(b64u_decode(to_sign.decode("ascii", "replace").partition(".")[2]))
