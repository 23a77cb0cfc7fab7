"""The decision that a change of a certificate's state rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.certificate import Cause

BASIS_LENGTH_MAX: Final = 200
DOCUMENT_LENGTH_MAX: Final = 128
BODY_LENGTH_MAX: Final = 128


@dataclass(frozen=True, slots=True)
class Ruling:
    """Law and article, number (文号) and day of the decision. `deciding_body` is empty where the
    authority itself decided; `cause` is that of a deregistration."""

    legal_basis: str
    document: str
    decision_date: str
    deciding_body: str = ""
    cause: Cause | None = None
