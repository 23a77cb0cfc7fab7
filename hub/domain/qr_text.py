"""The text of the two-dimensional code on the face of a certificate (docs/formats/qr-code.md).

It names a certificate and where its status stands, and nothing about anybody: whoever photographs a
code learns an identifier and a place in a public list.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from hub.domain.identifier import CertificateIdentifier
from hub.errors import HubError, Reason

# A text that begins so is a code of ours, of whatever version.
SCHEME: Final = "SEALWAY:"
LOOKUP_PREFIX: Final = f"{SCHEME}1:"
PREVIEW_PREFIX: Final = f"{SCHEME}PREVIEW:"
# Letters of the alphanumeric mode of ISO/IEC 18004, in which a code takes half the room.
_TEXT: Final = re.compile(
    r"SEALWAY:1:([0-9A-Z./-]{1,200}):([0-9A-Z.]{1,200}):(0|[1-9][0-9]{0,8}):(0|[1-9][0-9]{0,9})"
)


@dataclass(frozen=True, slots=True)
class QrText:
    """A certificate of the hub `origin`: its identifier, and its place in a status list."""

    origin: str
    identifier: str
    status_list: int
    status_place: int

    @classmethod
    def of_status(cls, origin: str, identifier: str, uri: str, place: int) -> QrText:
        """As a record's seal has it: `uri` is that of the list (docs/formats/status-list.md)."""
        return cls(origin, identifier, int(uri.rpartition("/")[2]), place)

    @classmethod
    def parse(cls, text: str, origin: str) -> QrText:
        """The code of a certificate of the hub `origin`. Raises HubError(FIELD_INVALID), and
        (IDENTIFIER_INVALID) for a wrong check character."""
        found = _TEXT.fullmatch(text)
        if found is None:
            rule = f"{LOOKUP_PREFIX}origin:identifier:list:place, docs/formats/qr-code.md"
            raise HubError(Reason.FIELD_INVALID, field="qrcode", rule=rule)
        if found[1] != origin.upper():
            raise HubError(Reason.FIELD_INVALID, field="qrcode", rule=f"a code of {origin}")
        identifier = str(CertificateIdentifier.parse(found[2], lenient=True))
        return cls(origin, identifier, int(found[3]), int(found[4]))

    def __str__(self) -> str:
        return (
            f"{LOOKUP_PREFIX}{self.origin.upper()}:{self.identifier}:{self.status_list}"
            f":{self.status_place}"
        )


def status_uri(origin: str, status_list: int) -> str:
    """Where the status list of this number stands (docs/formats/status-list.md)."""
    return f"https://{origin}/status/{status_list}"


def preview_text(origin: str, identifier: str) -> str:
    """The code of a sample (样张): it says so, and no reader takes it for a certificate's."""
    return f"{PREVIEW_PREFIX}{origin.upper()}:{identifier}"
