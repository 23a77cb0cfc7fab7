"""What happens in the life of a holder, as far as certificates are concerned by it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from hub.domain.holder import HolderKind


class HolderEvent(StrEnum):
    """The values stand in entries, and among facts that have changed."""

    DEATH = "holder.death"
    DISSOLUTION = "holder.dissolution"
    GUARDIANSHIP_BEGUN = "holder.guardianship_begun"
    GUARDIANSHIP_ENDED = "holder.guardianship_ended"

    @property
    def befalls(self) -> HolderKind:
        """Whom it can happen to."""
        if self is HolderEvent.DISSOLUTION:
            return HolderKind.ORGANISATION
        return HolderKind.PERSON


def is_personal(facts: Iterable[str]) -> bool:
    """Whether an announcement of `facts` is about a person."""
    return any(fact in facts for fact in HolderEvent if fact.befalls is HolderKind.PERSON)
