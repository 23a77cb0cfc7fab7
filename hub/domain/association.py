"""Identifiers that a department gives with a certificate: its own, and those it is associated with.

A certificate goes back to others (关联标识, GB/T 36903): it was renewed from one, changes one, was
derived from one. What a type demands of such identifiers is its `IdentifierMode`; what does not
check is refused, or kept as given under the rule that it breaks, and never without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.domain.identifier import CertificateIdentifier, identifier_fault

ASSOCIATED_MAX: Final = 16
NAMED_LENGTH_MAX: Final = 128
# Faults of what has not the form of an identifier at all.
FORMLESS: Final = frozenset({"identifier.root", "identifier.form"})


class Relation(StrEnum):
    """What the named certificate is to the one that names it."""

    # The certificate itself, as its department's own system numbered it.
    KNOWN_AS = "known_as"
    # The one that this continues when its validity ended (延续、换发).
    RENEWED_FROM = "renewed_from"
    # The one whose content this replaces (变更).
    CHANGES = "changes"
    # The one that this was made from: a copy (副本), a part, a certificate of another type.
    DERIVED_FROM = "derived_from"


ASSOCIATIONS: Final = (Relation.RENEWED_FROM, Relation.CHANGES, Relation.DERIVED_FROM)


class IdentifierMode(StrEnum):
    """What a certificate type demands of identifiers that others made (GB/T 36904)."""

    # Every part and the check character are right, or the row is refused.
    STRICT = "strict"
    # Kept as given; one that does not check says which rule it breaks.
    LENIENT = "lenient"


@dataclass(frozen=True, slots=True)
class Association:
    """One identifier that a row names, as given; nothing of it is checked yet."""

    relation: Relation
    identifier: str


@dataclass(frozen=True, slots=True)
class NamedIdentifier:
    """An identifier that was judged.

    `fault` is the rule of GB/T 36904 that it breaks, "" where it checks. `first` is the identifier
    of the first version of the same certificate, by which all its versions are found; where it
    does not check, what was given.
    """

    relation: Relation
    identifier: str
    first: str
    fault: str


def judge_identifier(association: Association, type_code: str) -> NamedIdentifier:
    """What holds of an identifier that a certificate of type `type_code` names."""
    relation, text = association.relation, association.identifier
    fault = identifier_fault(text) or ""
    if not fault and relation is Relation.KNOWN_AS:
        is_own_type = CertificateIdentifier.parse(text).type_code == type_code
        fault = "" if is_own_type else "identifier.other_type"
    return NamedIdentifier(relation, text, first_of(text), fault)


def first_of(text: str) -> str:
    """The identifier of the first version of the certificate that `text` names; `text` itself where
    it does not check."""
    return text if identifier_fault(text) else str(CertificateIdentifier.parse(text).first())
