"""Reading a JSON document of the catalogue: every fault with its place, and none of them twice.

A member that is wrong is noted and read as a stand-in, so that reading goes on to the next fault;
what was read counts only where nothing was noted (`Reader.check`).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Self, TypeVar

from hub.domain.row import text_violation
from hub.domain.rules import violation
from hub.domain.strict_json import Json, NotStrictJsonError, parse_object
from hub.errors import HubError, Reason, Violation

E = TypeVar("E", bound=StrEnum)


class Level(StrEnum):
    """The levels of administration, as GB/T 36902 counts them: 1 nation, 2 province or ministry,
    3 city, 4 county; towns, villages and all others are its 5."""

    NATION = "nation"
    PROVINCE = "province"
    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    OTHER = "other"


# As registered authorities have them.
LEVEL_NUMBERS: Final[Mapping[Level, int]] = {
    Level.NATION: 1,
    Level.PROVINCE: 2,
    Level.CITY: 3,
    Level.COUNTY: 4,
    Level.TOWN: 5,
    Level.VILLAGE: 5,
    Level.OTHER: 5,
}


class Reader:
    """The members of one object at `place`; what is wrong is added to `found`."""

    def __init__(self, members: Mapping[str, Json], place: str, found: list[Violation]) -> None:
        self.place = place
        self._members = members
        self._found = found
        self._read: set[str] = set()

    @classmethod
    def of(cls, data: bytes, name: str) -> Self:
        """The document in `data`, which is a `name`. Raises HubError(FIELD_INVALID)."""
        try:
            return cls(parse_object(data), "", [])
        except NotStrictJsonError as error:
            broken = violation(name, "json.malformed", detail=str(error))
            raise HubError(
                Reason.FIELD_INVALID, violations=(broken,), field=name, rule=broken.rule
            ) from error

    def fault(self, name: str, rule: str, **details: str | int) -> None:
        """Note that member `name` breaks `rule`."""
        self._found.append(violation(self.place + name, rule, **details))

    def has(self, name: str) -> bool:
        """Whether the member is there and not null."""
        self._read.add(name)
        return self._members.get(name) is not None

    def text(self, name: str, length_max: int, *, optional: bool = False) -> str:
        """A text of one line, not empty; "" where it is optional and absent."""
        if optional and not self.has(name):
            return ""
        value = self._value(name)
        broken = text_violation(self.place + name, value, length_max) if value is not None else None
        if broken is not None:
            self._found.append(broken)
        return value if isinstance(value, str) else ""

    def integer(self, name: str, least: int, most: int) -> int:
        """An integer between two bounds, both allowed."""
        value = self._value(name)
        if value is None:
            return least
        if type(value) is not int or not least <= value <= most:
            self.fault(name, "value.range", least=least, most=most)
            return least
        return value

    def flag(self, name: str, *, optional: bool = False) -> bool:
        """True or false; false where it is optional and absent."""
        if optional and not self.has(name):
            return False
        value = self._value(name)
        if value is not None and not isinstance(value, bool):
            self.fault(name, "value.boolean")
        return value is True

    def choice(self, name: str, choices: type[E]) -> E:
        """One of the values of an enum."""
        value = self._value(name)
        if value is not None and value not in tuple(choices):
            self.fault(name, "member.kind", kind=", ".join(choices))
            value = None
        return choices(value) if isinstance(value, str) else next(iter(choices))

    def choices(self, name: str, choices: type[E]) -> tuple[E, ...]:
        """A list of values of an enum, none of them twice; empty where it is absent."""
        found = self.texts(name, len(choices), 64)
        if not set(found) <= set(choices):
            self.fault(name, "member.kind", kind=", ".join(choices))
            return ()
        return tuple(choices(value) for value in found)

    def integers(self, name: str, count_max: int, least: int, most: int) -> tuple[int, ...]:
        """A list of integers between two bounds, none of them twice; empty where it is absent."""
        if not self.has(name):
            return ()
        values = self._members[name]
        if not isinstance(values, list) or len(values) > count_max:
            self.fault(name, "member.list", most=count_max)
            return ()
        known = [value for value in values if type(value) is int and least <= value <= most]
        if len(known) < len(values):
            self.fault(name, "value.range", least=least, most=most)
        if len(set(known)) < len(known):
            self.fault(name, "member.repeated")
        return tuple(known)

    def texts(self, name: str, count_max: int, length_max: int) -> tuple[str, ...]:
        """A list of texts, none of them twice; empty where it is absent."""
        if not self.has(name):
            return ()
        values = self._members[name]
        if not isinstance(values, list) or len(values) > count_max:
            self.fault(name, "member.list", most=count_max)
            return ()
        found = []
        for index, value in enumerate(values):
            broken = text_violation(f"{self.place}{name}[{index}]", value, length_max)
            if broken is not None:
                self._found.append(broken)
            elif isinstance(value, str):
                found.append(value)
        if len(set(found)) != len(found):
            self.fault(name, "member.repeated")
        return tuple(found)

    def objects(self, name: str, count_max: int) -> list[Reader]:
        """A list of objects; empty where it is absent."""
        if not self.has(name):
            return []
        values = self._members[name]
        if not isinstance(values, list) or len(values) > count_max:
            self.fault(name, "member.list", most=count_max)
            return []
        found = []
        for index, value in enumerate(values):
            if isinstance(value, dict):
                found.append(Reader(value, f"{self.place}{name}[{index}].", self._found))
            else:
                self.fault(f"{name}[{index}]", "member.kind", kind="an object")
        return found

    def object(self, name: str) -> Reader | None:
        """An object, or None where it is absent."""
        if not self.has(name):
            return None
        value = self._members[name]
        if not isinstance(value, dict):
            self.fault(name, "member.kind", kind="an object")
            return None
        return Reader(value, f"{self.place}{name}.", self._found)

    def value(self, name: str) -> Json:
        """Whatever stands there; None where it is absent."""
        self._read.add(name)
        return self._members.get(name)

    def end(self) -> None:
        """Note every member that was not read."""
        for name in self._members:
            if name not in self._read:
                self.fault(name[:64], "member.unknown")

    def check(self) -> None:
        """Raises HubError(FIELD_INVALID) with everything that was noted here and below."""
        if self._found:
            first = self._found[0]
            raise HubError(
                Reason.FIELD_INVALID,
                violations=tuple(self._found),
                field=first.field,
                rule=first.rule,
            )

    def _value(self, name: str) -> Json:
        if not self.has(name):
            self.fault(name, "member.missing")
            return None
        return self._members[name]
