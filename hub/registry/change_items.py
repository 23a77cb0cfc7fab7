"""Import and retire service items. Each call is one log entry, whole or not at all."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from hub.clock import Clock
from hub.domain.caller import Caller, Role
from hub.domain.item_changes import MemberChange, changes, is_same
from hub.domain.rules import violation
from hub.domain.service_item import ITEM_BYTES_MAX, ServiceItem, from_json, to_json
from hub.errors import HubError, Reason, Violation
from hub.registry.catalogue import Catalogue
from hub.registry.item_store import (
    INSERT_ITEM,
    Listed,
    ListState,
    Standing,
    put_items_version,
    put_standing,
)
from hub.registry.items import Items, StoredItem
from hub.registry.ports import Access, Recorder
from hub.storage.changes import Answered, Call, Change, change_once
from hub.storage.statements import ENTRY_INDEX, Write

IMPORT_ITEMS_MAX: Final = 500
IMPORT_BYTES_MAX: Final = 3_500_000
VIOLATIONS_MAX: Final = 100
CAUSE_LENGTH_MAX: Final = 400


class Outcome(StrEnum):
    """What becomes of an item in an import."""

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class ItemChange:
    """One item of an import: as it will be, and what differs from what is on file."""

    outcome: Outcome
    item: ServiceItem
    changes: tuple[MemberChange, ...]


@dataclass(frozen=True, slots=True)
class ImportItems:
    """Put items into the catalogue, or the next versions of items that are there.

    1. In a thread: each document is an item by itself, and none occurs twice.
    2. The caller may change it; it is not retired; what it names is published; nobody else changed
       it since the version that was edited.
    3. What differs gets the next version; record all of it as one entry, or only say what differs.
    """

    clock: Clock
    recorder: Recorder
    access: Access
    catalogue: Catalogue
    items: Items

    async def __call__(
        self,
        call: Call,
        documents: Sequence[bytes],
        encode: Callable[[Sequence[ItemChange]], bytes],
        *,
        validate_only: bool,
    ) -> Answered:
        """Durable and in the catalogue when it returns. Raises HubError: FIELD_INVALID with the
        violations of every item, AUTHORITY_NOT_ALLOWED, MESSAGE_TOO_LARGE, REQUEST_ID_REUSED,
        DECISION_STALE. Then nothing of the import is stored."""
        size = sum(map(len, documents))
        if size > IMPORT_BYTES_MAX:
            raise HubError(Reason.MESSAGE_TOO_LARGE, bytes=size, bytes_max=IMPORT_BYTES_MAX)
        if not 1 <= len(documents) <= IMPORT_ITEMS_MAX:
            rule = f"1 to {IMPORT_ITEMS_MAX} items"
            raise HubError(Reason.FIELD_INVALID, field="items", rule=rule)
        imported = await asyncio.to_thread(_read, documents)

        def decide() -> Change:
            decided = self._decide(call.caller, imported)
            return self._change(call.caller, decided, encode(decided))

        return await change_once(
            self.recorder, call, decide, self._refresh, validate_only=validate_only
        )

    async def _refresh(self) -> None:
        await self.catalogue.refresh()
        await self.items.refresh()

    def _decide(self, caller: Caller, imported: Sequence[ServiceItem]) -> list[ItemChange]:
        """Step 2, and what it comes to."""
        found: list[Violation] = []
        decided = []
        for index, item in enumerate(imported):
            check_right(self.access, caller, f"items/{item.code}", item.authority)
            stored = self.items.find(item.code)
            newest = None if stored is None else stored.item
            if newest is not None:
                check_right(self.access, caller, f"items/{item.code}", newest.authority)
            if newest is not None and is_same(newest, item):
                decided.append(ItemChange(Outcome.UNCHANGED, newest, ()))
                continue
            found += self._violations(f"items[{index}].", item, newest)
            outcome = Outcome.NEW if newest is None else Outcome.CHANGED
            number = 1 if newest is None else newest.version + 1
            after = dataclasses.replace(item, version=number)
            decided.append(
                ItemChange(outcome, after, () if newest is None else changes(newest, after))
            )
        _refuse(found)
        return decided

    def _violations(
        self, place: str, item: ServiceItem, newest: ServiceItem | None
    ) -> Iterator[Violation]:
        """What an item that differs may break against what is on file."""
        version = 0 if newest is None else newest.version
        if item.version and item.version != (version or 1):
            details = {"edited": item.version, "newest": version}
            yield violation(f"{place}version", "item.stale", **details)
        if self.items.standing(item.code).state is ListState.RETIRED:
            yield violation(f"{place}code", "item.retired")
        for number, material in enumerate(item.materials):
            inner = f"{place}materials[{number}]."
            for code in material.types:
                known = self.catalogue.newest(code)
                if known is None:
                    yield violation(f"{inner}types", "item.type_unknown", code=code)
                    continue
                names = {field.name for field in known.fields}
                for name in material.fields:
                    if name not in names:
                        yield violation(
                            f"{inner}fields", "item.field_unknown", code=code, name=name
                        )

    def _change(self, caller: Caller, decided: Sequence[ItemChange], answer: bytes) -> Change:
        """Step 3."""
        counts = Counter(one.outcome for one in decided)
        now_us = self.clock()
        rows = [
            (one.item.code, one.item.version, to_json(one.item), ENTRY_INDEX, now_us, "registry")
            for one in decided
            if one.outcome is not Outcome.UNCHANGED
        ]
        writes = [Write(INSERT_ITEM, rows), put_items_version(self.items.version + 1)]
        return Change(
            kind="items.imported",
            data={outcome.value: counts[outcome] for outcome in Outcome},
            writes=writes if rows else (),
            # The types that the items name must be those that were looked at.
            checks=(self.items.check(), self.catalogue.check(), self.access.check(caller)),
            answer=answer,
        )


@dataclass(frozen=True, slots=True)
class RetireItem:
    """End an item: no new matter is planned by it. Its versions stay readable."""

    clock: Clock
    recorder: Recorder
    access: Access
    items: Items

    async def __call__(
        self,
        call: Call,
        code: str,
        cause: str,
        encode: Callable[[StoredItem, Standing], bytes],
    ) -> Answered:
        """Durable when it returns. Raises HubError: ITEM_NOT_FOUND, AUTHORITY_NOT_ALLOWED,
        TRANSITION_NOT_ALLOWED, FIELD_INVALID, REQUEST_ID_REUSED, DECISION_STALE."""
        check_cause(cause)

        def decide() -> Change:
            stored = self.items.find(code)
            name = f"items/{code.lower()}"
            if stored is None:
                raise HubError(Reason.ITEM_NOT_FOUND, name=name)
            check_right(self.access, call.caller, f"items/{code}", stored.item.authority)
            if self.items.standing(code).state is ListState.RETIRED:
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state="retired")
            now_us = self.clock()
            return Change(
                kind="item.retired",
                data={"item": code, "version": stored.item.version, "cause": cause},
                writes=(
                    put_standing(Listed.ITEM, code, ListState.RETIRED, cause, now_us),
                    put_items_version(self.items.version + 1),
                ),
                checks=(self.items.check(), self.access.check(call.caller)),
                answer=encode(stored, Standing(ListState.RETIRED, cause, 0, now_us)),
            )

        return await change_once(self.recorder, call, decide, self.items.refresh)


def check_right(access: Access, caller: Caller, what: str, defining: str) -> None:
    """Officers, and who defines it or has succeeded who did. Raises HubError
    (AUTHORITY_NOT_ALLOWED)."""
    if caller.role is not Role.OFFICER and not access.answers_for(caller, what, defining):
        raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=caller.authority)


def check_cause(cause: str) -> None:
    """Raises HubError(FIELD_INVALID)."""
    if not 0 < len(cause) <= CAUSE_LENGTH_MAX:
        rule = f"1 to {CAUSE_LENGTH_MAX} characters"
        raise HubError(Reason.FIELD_INVALID, field="cause", rule=rule)


def _read(documents: Sequence[bytes]) -> list[ServiceItem]:
    """Step 1. Raises HubError(FIELD_INVALID) with the violations of every document."""
    found: list[Violation] = []
    items: list[ServiceItem] = []
    codes: set[str] = set()
    for index, document in enumerate(documents):
        place = f"items[{index}]"
        if len(document) > ITEM_BYTES_MAX:
            found.append(violation(place, "row.size", limit=ITEM_BYTES_MAX))
            continue
        try:
            item = from_json(document)
        except HubError as error:
            found += [
                dataclasses.replace(one, field=f"{place}.{one.field}") for one in error.violations
            ]
            continue
        if item.code in codes:
            found.append(violation(f"{place}.code", "item.repeated"))
        codes.add(item.code)
        items.append(item)
    _refuse(found)
    return items


def _refuse(found: Sequence[Violation]) -> None:
    if found:
        first = found[0]
        raise HubError(
            Reason.FIELD_INVALID,
            violations=tuple(found[:VIOLATIONS_MAX]),
            field=first.field,
            rule=first.rule,
        )
