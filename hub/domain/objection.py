"""What is in doubt because somebody objects to it (异议)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from hub.domain.certificate_type import DOCUMENT_FIELD

# Names the holder among what is wrong: the claim of the record seal.
HOLDER_FIELD: Final = "holder_number"


def in_doubt(objected: Iterable[str], fields: Collection[str]) -> tuple[str, ...]:
    """Those of `objected` that matter to whoever wants `fields`: these, and always the holder,
    since what is true of somebody else is true of nobody here. A document shows all of them."""
    if DOCUMENT_FIELD in fields:
        return tuple(objected)
    return tuple([name for name in objected if name in fields or name == HOLDER_FIELD])
