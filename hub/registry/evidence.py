"""What an act about holders rests on: law and article, and the digest of a document that shows it.

The document itself stays with the authority; whoever is shown it later compares the digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hub.domain.row import text_violation
from hub.domain.rules import violation
from hub.errors import HubError, Reason, Violation

BASIS_LENGTH_MAX: Final = 400
_DIGEST_LENGTH: Final = 43
_BASE64URL: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True, slots=True)
class Evidence:
    """`document_digest` is SHA-256 in base64url, or "" where no document is needed."""

    document_digest: str
    legal_basis: str


def check_evidence(
    evidence: Evidence, *others: Violation | None, needs_document: bool = True
) -> None:
    """Raises HubError(FIELD_INVALID) with everything that is wrong with it, and with `others`."""
    found = [*others, text_violation("legal_basis", evidence.legal_basis, BASIS_LENGTH_MAX)]
    document = evidence.document_digest
    if document or needs_document:
        fits = len(document) == _DIGEST_LENGTH and set(document) <= _BASE64URL
        found.append(None if fits else violation("document_digest", "value.digest"))
    broken = [one for one in found if one is not None]
    if broken:
        raise field_invalid(*broken)


def field_invalid(*broken: Violation) -> HubError:
    """The refusal of a request with these violations, at least one."""
    return HubError(
        Reason.FIELD_INVALID, violations=broken, field=broken[0].field, rule=broken[0].rule
    )
