"""What a sealed file's code is worth, said by its log entry; told where it is not signed."""

from __future__ import annotations

import json
from typing import Final

from hub.cli.terminal import Terminal
from hub.domain.face import CodeKind
from hub.proof.encoding import b64u_decode
from hub.proof.reasons import ReasonText

_TEXTS: Final = {
    CodeKind.NO_KEY: ReasonText(
        "the seal has no key for codes in force (sealway key generate --use face)",
        "印章没有生效的二维码签名密钥（sealway key generate --use face）",
    ),
    CodeKind.OTHER_ISSUER: ReasonText(
        "the certificate was issued by a predecessor of its authority", "证照由前身机构签发"
    ),
    CodeKind.NO_NAME: ReasonText(
        "its type says no holder's name",
        "证照类型没有持证者名称",
    ),
    CodeKind.NO_ROOM: ReasonText(
        "the template's box is too small for a signed code",
        "样式模板的二维码区域放不下带签名的二维码",
    ),
}


def tell_code(terminal: Terminal, code: object) -> None:
    """Say why the code on a file is not signed; `code` is what the log entry says of it."""
    text = next((text for kind, text in _TEXTS.items() if kind.value == code), None)
    if text is not None:
        terminal.say(
            f"Its two-dimensional code is not signed and proves nothing: {text.en}.",
            f"其二维码未签名，不能证明任何内容：{text.zh}。",
        )


def logged_code(receipt: str) -> object:
    """What the entry of a receipt says of the code; None where it says nothing."""
    body = json.loads(b64u_decode(json.loads(receipt)["body"]))
    return body.get("data", {}).get("code")
