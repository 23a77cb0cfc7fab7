"""Files of a type that has a face: annotated copies, and the signed codes on them."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from hub.proof.faces.code import PREFIX, base45, base45_decode
from hub.proof.faces.facts import FaceFacts, ofd_facts
from hub.proof.ofd.document import open_package
from tests.chinese_font import needs_font
from tests.facade.conftest import CAUSE, FacadeProcess, Portal, person
from tests.facade.test_documents import taken
from tests.simulator import PERMIT

pytestmark = pytest.mark.xdist_group("facade")


@pytest.fixture(scope="module")
def permit_identifier(facade: FacadeProcess) -> str:
    needs_font()
    answer = Portal(facade).call("getDataByHolder", **person(1))
    (identifier,) = answer["data"]["certificateIdentifiers"]
    return str(identifier)


def facts_of(data: bytes) -> FaceFacts:
    facts = ofd_facts(open_package(data))
    assert facts is not None
    return facts


@pytest.fixture(scope="module")
def copy(facade: FacadeProcess, permit_identifier: str) -> dict[str, Any]:
    """The answer with an annotated copy."""
    answer = Portal(facade).call("downloadFile", certIdentifier=permit_identifier, fileType="ofd")
    assert answer["head"]["status"] == 0, answer["head"]
    return answer


def test_a_file_of_a_faced_type_is_a_copy_for_the_cause_that_was_named(
    copy: dict[str, Any], permit_identifier: str
) -> None:
    """Sealed, for whom and why; what the hub keeps of it is named beside."""
    data, facts = copy["data"], facts_of(b64decode(copy["data"]["content"]))

    assert (data["annotated"], data["mediaType"]) == (True, "application/ofd")
    assert facts.identifier == permit_identifier and facts.copy is not None
    assert facts.copy.purpose == CAUSE["certificateCopyCause"]
    assert facts.copy.name == data["annotatedCopy"]


def test_an_address_of_a_faced_type_leads_to_a_copy_once(
    portal: Portal, permit_identifier: str
) -> None:
    address = portal.call("downloadUrl", certIdentifier=permit_identifier)["data"]["content"]

    status, body, headers = taken(address)
    again, _, _ = taken(address)

    assert (status, again) == (200, 404)
    assert headers["content-type"] in ("application/ofd", "application/pdf")
    assert b"".join([body[:4]]) in (b"PK\x03\x04", b"%PDF")


def test_the_code_on_a_copy_leads_back_to_its_certificate(
    portal: Portal, copy: dict[str, Any], permit_identifier: str
) -> None:
    """Signed by an issuer that is pinned here, and naming the place that the seal names."""
    text = facts_of(b64decode(copy["data"]["content"])).code
    assert text.startswith(PREFIX)

    scanned = portal.call("queryCertInfoByQRcode", qrcode=text)

    assert scanned["head"]["status"] == 0, scanned["head"]
    assert scanned["data"]["qrcodeVerified"] is True
    (found,) = scanned["data"]["certData"]
    assert (found["certificateIdentifier"], found["certificateTypeCode"]) == (
        permit_identifier,
        PERMIT,
    )


def test_a_signed_code_that_was_changed_is_found_out_and_one_of_a_stranger_is_not_verified(
    portal: Portal, copy: dict[str, Any]
) -> None:
    """No data for the first; for the second those of the certificate that it names."""
    text = facts_of(b64decode(copy["data"]["content"])).code
    packed = base45_decode(text.removeprefix(PREFIX))
    signature = bytes(one ^ 1 for one in packed[32:33]) + packed[33:]

    forged = portal.call("queryCertInfoByQRcode", qrcode=PREFIX + base45(packed[:32] + signature))
    stranger = portal.call("queryCertInfoByQRcode", qrcode=PREFIX + base45(bytes(32) + packed[32:]))
    garbage = portal.call("queryCertInfoByQRcode", qrcode=f"{PREFIX}GARBAGE")

    assert (forged["head"]["reason"], forged["data"]) == ("QRCODE_INVALID", {})
    assert stranger["data"]["qrcodeVerified"] is False
    assert (garbage["head"]["reason"], garbage["data"]) == ("FIELD_INVALID", {})
