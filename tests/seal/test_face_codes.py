"""Which code a face carries: signed where it can be, and otherwise the log says why not."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any, Final

import pytest

from hub.cli.code_notes import tell_code
from hub.cli.terminal import Terminal
from hub.domain.face import CodeKind, FaceContent
from hub.domain.qr_text import QrText
from hub.errors import HubError, Reason
from hub.proof.faces.code import read_face_code
from hub.proof.sealing.documents import DocumentOrder
from hub.proof.sealing.records import Mandate
from hub.seal.documents.face_codes import FaceCodes
from hub.seal.faces.page import Box
from hub.seal.keys import CodeWork
from tests.proof.test_code_sealing import CONTENT, FACE, ORDER, TYPE, VCT, approved
from tests.proof.test_face_code import CODE, NOW, SIGNER

ROOM: Final = Box(0, 0, 34, 34)
SUCCESSOR: Final = "11330105002500287C"


class Keys:
    """The keys of one seal: one for codes, or none."""

    def __init__(self, name: str = "keys/k-1", *, there: bool = True) -> None:
        self.name, self.there, self.asked = name, there, 0

    async def in_force(self, *_: Any) -> bool:
        return self.there

    async def usable(self, *_: Any) -> Any:
        self.asked += 1

        def sign(work: CodeWork) -> bytes:
            return SIGNER.sign(work.to_sign)

        signing = SimpleNamespace(kid=SIGNER.kid, sign_face_code=sign)
        return SimpleNamespace(key=SimpleNamespace(name=self.name), signing=signing)


async def made(
    keys: Keys,
    content: FaceContent = CONTENT,
    order: DocumentOrder = ORDER,
    box: Box = ROOM,
) -> Any:
    codes = FaceCodes(CODE.origin, CODE.region, lambda: NOW * 1_000_000, keys)  # type: ignore[arg-type]
    intent = approved(authority=order.authority_uscc)
    mandate = Mandate(intent.name, b"{}", ())
    return await codes.make(intent, order, content, TYPE, box, mandate=mandate)


async def test_a_key_in_force_signs_what_the_certificate_says() -> None:
    code = await made(Keys())

    assert (code.which, code.key) == (CodeKind.SIGNED, "keys/k-1")
    assert read_face_code(code.text) == dataclasses.replace(CODE, iat=NOW)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"keys": Keys(there=False)}, CodeKind.NO_KEY),
        ({"box": Box(0, 0, 20, 34)}, CodeKind.NO_ROOM),
        (
            {"content": dataclasses.replace(CONTENT, fields={"name": "名" * 200})},
            CodeKind.NO_ROOM,
        ),
        ({"content": dataclasses.replace(CONTENT, fields={})}, CodeKind.NO_NAME),
        ({"order": DocumentOrder(SUCCESSOR, VCT, 2, CODE.identifier, FACE)}, CodeKind.OTHER_ISSUER),
    ],
)
async def test_without_a_signed_code_there_is_a_lookup_code_and_a_reason(
    changes: dict[str, Any], expected: CodeKind, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same certificate, nobody's word; and the command line says what is missing."""
    code = await made(**{"keys": Keys(), **changes})

    assert (code.which, code.key) == (expected, "")
    assert QrText.parse(code.text, CODE.origin).identifier == CODE.identifier
    tell_code(Terminal(False), expected.value)
    assert "not signed" in "".join(capsys.readouterr())


async def test_a_signed_code_needs_no_words(capsys: pytest.CaptureFixture[str]) -> None:
    for code in (CodeKind.SIGNED.value, None, "unheard of"):
        tell_code(Terminal(False), code)

    assert "".join(capsys.readouterr()) == ""


async def test_a_code_of_a_key_that_was_rotated_meanwhile_is_made_again() -> None:
    """What counts the use must be the key that signed."""
    code = await made(Keys("keys/k-1"))
    codes = FaceCodes(CODE.origin, CODE.region, lambda: NOW * 1_000_000, Keys("keys/k-2"))  # type: ignore[arg-type]

    with pytest.raises(HubError) as caught:
        await codes.signed_by(code, "seals/a")

    assert caught.value.reason is Reason.DECISION_STALE
