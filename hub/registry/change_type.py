"""Deprecate and retire certificate types. Each is one log entry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hub.clock import Clock
from hub.errors import HubError, Reason
from hub.registry.catalogue import Catalogue, PublishedType
from hub.registry.change_items import check_cause, check_right
from hub.registry.item_store import Listed, ListState, Standing, put_standing
from hub.registry.ports import Access, Recorder
from hub.registry.store import put_catalogue
from hub.storage.changes import Answered, Call, Change, change_once


@dataclass(frozen=True, slots=True)
class ChangeType:
    """Move a type on: published → deprecated → retired, never back but by a new version.

    Under a deprecated type everything goes on; who looks it up is told to prefer another. Under a
    retired one no certificate is issued any more and no version published; those on file stay
    readable and verifiable, may be corrected, and may end.
    """

    clock: Clock
    recorder: Recorder
    access: Access
    catalogue: Catalogue

    async def __call__(
        self,
        call: Call,
        code: str,
        state: ListState,
        cause: str,
        encode: Callable[[PublishedType, Standing], bytes],
    ) -> Answered:
        """Durable when it returns. Raises HubError: CERTIFICATE_TYPE_NOT_FOUND,
        AUTHORITY_NOT_ALLOWED, TRANSITION_NOT_ALLOWED, FIELD_INVALID, REQUEST_ID_REUSED,
        DECISION_STALE."""
        check_cause(cause)

        def decide() -> Change:
            published = self.catalogue.find(code)
            name = f"certificateTypes/{code.lower()}"
            if published is None:
                raise HubError(Reason.CERTIFICATE_TYPE_NOT_FOUND, name=name)
            check_right(self.access, call.caller, code, published.type.defining_authority)
            present = self.catalogue.standing(code).state
            if present is ListState.RETIRED or present is state:
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=present.value)
            now_us = self.clock()
            return Change(
                kind="type.retired" if state is ListState.RETIRED else "type.deprecated",
                data={"code": code, "version": published.type.version, "cause": cause},
                writes=(
                    put_standing(Listed.TYPE, code, state, cause, now_us),
                    put_catalogue(self.catalogue.version + 1),
                ),
                checks=(self.catalogue.check(), self.access.check(call.caller)),
                answer=encode(published, Standing(state, cause, 0, now_us)),
            )

        return await change_once(self.recorder, call, decide, self.catalogue.refresh)
