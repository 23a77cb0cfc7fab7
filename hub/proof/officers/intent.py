"""Intents: what officers approve, as exact bytes (formats.md §8).

An intent is one JSON object, written once and kept verbatim. Every kind has the same members around
its own: `v, kind, origin, region`, its own, `replaces?, quorum?, not_before, not_after, uses_max,
requester, nonce?`, in this order. What a kind may say is data (`intent_kinds`), so that the hub
that writes an intent, the officer who reads it, the signer that acts on it and the auditor who
looks at it years later read the same members and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Final, Protocol

from hub.domain.document import Reader
from hub.domain.row import date_violation
from hub.domain.strict_json import Json
from hub.errors import HubError
from hub.proof.encoding import b64u_decode, emit_json, parse_object
from hub.proof.jose import public_key_from_jwk, thumbprint
from hub.proof.reasons import ProofError, ProofReason

INTENT_SIZE_MAX: Final = 65_536
QUORUM_MIN: Final = 2
"""Whatever an intent may be about, two officers besides its requester approve it."""
QUORUM_MAX: Final = 16
USES_MAX: Final = 1_000_000_000
INTENT_NONCE_BYTES: Final = 16
SECONDS_MAX: Final = 253_402_271_999
"""The last second of the year 9999 in China: whatever reads times can show it."""

_CHINA: Final = timezone(timedelta(hours=8))
_BEFORE: Final = ("v", "kind", "origin", "region")
_AFTER: Final = ("replaces", "quorum", "not_before", "not_after", "uses_max", "requester", "nonce")
_COMMON: Final = frozenset({*_BEFORE, *_AFTER})
_OFFICER: Final = re.compile(r"officers/[a-z0-9][a-z0-9-]{2,62}")


class Form(Protocol):
    """What one member may hold."""

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        """Note in `reader` what is wrong with member `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text."""

    length_max: int

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        reader.text(name, self.length_max, optional=optional)


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the calendar, YYYY-MM-DD."""

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        day = reader.text(name, 10, optional=optional)
        if day and date_violation(name, day) is not None:
            reader.fault(name, "value.date")


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number between two bounds, both allowed."""

    least: int
    most: int

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        if reader.has(name) or not optional:
            reader.integer(name, self.least, self.most)


@dataclass(frozen=True, slots=True)
class Flag:
    """True; a member that would be false is left out."""

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        if (reader.has(name) or not optional) and reader.value(name) is not True:
            reader.fault(name, "value.boolean")


@dataclass(frozen=True, slots=True)
class Bytes:
    """Bytes in base64url, of `size` where it is given."""

    size_max: int
    size: int | None = None

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        text = reader.text(name, self.size_max * 2, optional=optional)
        if not text:
            return
        try:
            size = len(b64u_decode(text))
        except ProofError:
            size = -1
        if not 0 < size <= self.size_max or self.size not in (None, size):
            reader.fault(name, "value.base64", limit=self.size or self.size_max)


@dataclass(frozen=True, slots=True)
class Key:
    """A P-256 public key as JWK."""

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        value = reader.value(name)
        if value is None and optional:
            return
        try:
            if not isinstance(value, dict) or value.keys() != {"kty", "crv", "x", "y"}:
                raise ProofError(ProofReason.JWK_INVALID)
            public_key_from_jwk(value)
        except ProofError:
            reader.fault(name, "value.key")


@dataclass(frozen=True, slots=True)
class Object:
    """An object with members of its own."""

    members: tuple[Member, ...]

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        if not reader.has(name) and not optional:
            reader.fault(name, "member.missing")
        one = reader.object(name)
        if one is not None:
            _read_members(one, self.members)
            one.end()


@dataclass(frozen=True, slots=True)
class Texts:
    """A list of texts, none of them twice."""

    count_max: int
    length_max: int

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        if not reader.has(name) and not optional:
            reader.fault(name, "member.missing")
        reader.texts(name, self.count_max, self.length_max)


@dataclass(frozen=True, slots=True)
class Objects:
    """A list of objects that all have the same members."""

    count_max: int
    members: tuple[Member, ...]

    def read(self, reader: Reader, name: str, *, optional: bool) -> None:
        if not reader.has(name) and not optional:
            reader.fault(name, "member.missing")
        for one in reader.objects(name, self.count_max):
            _read_members(one, self.members)
            one.end()


DIGEST: Final = Bytes(32, 32)
"""A SHA-256."""
MOMENT: Final = Integer(0, SECONDS_MAX)
"""Seconds since 1970 UTC; shown as a date."""
NAME: Final = Text(400)
"""A resource name."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a kind. One that is optional is left out, never null; `absent` is what a sentence
    says then, in English and Chinese."""

    name: str
    form: Form
    optional: bool = False
    absent: tuple[str, str] = ("-", "-")


@dataclass(frozen=True, slots=True)
class Kind:
    """What intents of one name are about.

    `en` and `zh` say it in a sentence, in which `{member}` stands for a member's value. A standing
    kind may be used again and again until its end; any other is executed once. Of one that
    `needs_display` at least one approval comes from where the officer's own program computed what
    it signed, since a browser does not show it (formats.md §8).
    """

    name: str
    en: str
    zh: str
    members: tuple[Member, ...]
    is_standing: bool = False
    needs_display: bool = False


@dataclass(frozen=True, slots=True)
class Intent:
    """What an intent's bytes say. Times are seconds, `not_after` is excluded.

    `members` are the kind's own. `quorum` is how many officers must approve it by the policy under
    which it was proposed; a stricter policy since counts as well. `replaces` is the digest of the
    intent that this one takes the place of. `nonce` tells two apart that say the same: without it
    the end of one would be the end of the other.
    """

    kind: Kind
    origin: str
    region: str
    members: Mapping[str, Json]
    not_before: int
    not_after: int
    uses_max: int
    requester: str
    quorum: int = QUORUM_MIN
    replaces: str | None = None
    nonce: str | None = None

    def text(self, name: str) -> str:
        """A member that is a text; empty where it is left out."""
        return str(self.members.get(name, ""))

    def to_bytes(self) -> bytes:
        """The intent's bytes, written once and kept."""
        members: dict[str, Json] = {
            "v": 1,
            "kind": self.kind.name,
            "origin": self.origin,
            "region": self.region,
        }
        for member in self.kind.members:
            if member.name in self.members:
                members[member.name] = self.members[member.name]
        if self.replaces is not None:
            members["replaces"] = self.replaces
        if self.quorum > QUORUM_MIN:
            members["quorum"] = self.quorum
        members["not_before"] = self.not_before
        members["not_after"] = self.not_after
        members["uses_max"] = self.uses_max
        members["requester"] = self.requester
        if self.nonce is not None:
            members["nonce"] = self.nonce
        return emit_json(members)


def parse_intent(data: bytes, kinds: Mapping[str, Kind]) -> Intent:
    """The intent in its bytes, read strictly: known kind, no other member, exactly our spelling.

    Raises ProofError: TOO_LARGE, the JSON reasons, INTENT_INVALID with the member that is wrong.
    """
    if len(data) > INTENT_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE, "intent")
    members = parse_object(data)
    name = members.get("kind")
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProofError(ProofReason.INTENT_INVALID, "kind")
    try:
        check_members(kind, {key: members[key] for key in members if key not in _COMMON})
        _check_common(members)
    except HubError as error:
        raise ProofError(ProofReason.INTENT_INVALID, error.details.get("field", "")) from error
    intent = Intent(
        kind=kind,
        origin=str(members["origin"]),
        region=str(members["region"]),
        members={key: value for key, value in members.items() if key not in _COMMON},
        not_before=_integer(members, "not_before"),
        not_after=_integer(members, "not_after"),
        uses_max=_integer(members, "uses_max"),
        requester=str(members["requester"]),
        quorum=_integer(members, "quorum") if "quorum" in members else QUORUM_MIN,
        replaces=str(members["replaces"]) if "replaces" in members else None,
        nonce=str(members["nonce"]) if "nonce" in members else None,
    )
    if not _is_consistent(intent) or intent.to_bytes() != data:
        raise ProofError(ProofReason.INTENT_INVALID, "times, uses or spelling")
    return intent


def check_members(kind: Kind, members: Mapping[str, Json]) -> None:
    """Raises HubError(FIELD_INVALID) with every member of a kind's own that is not as it should."""
    reader = Reader(members, "", [])
    for name in [name for name, value in members.items() if value is None]:
        reader.fault(name, "member.missing")
    _read_members(reader, kind.members)
    reader.end()
    reader.check()


def in_words(intent: Intent, language: str) -> str:
    """What an intent is for, as a sentence in `language` ("en" or "zh"), values filled in."""
    template = intent.kind.zh if language == "zh" else intent.kind.en
    values = {
        one.name: _shown(one, intent.members[one.name])
        if one.name in intent.members
        else one.absent[language == "zh"]
        for one in intent.kind.members
    }
    return template.format_map({**values, "requester": intent.requester})


def _shown(member: Member, value: Json) -> str:
    """A value as a sentence shows it: a key by its thumbprint, a moment as time in China."""
    if isinstance(value, dict):
        if isinstance(member.form, Key):
            return thumbprint(public_key_from_jwk(value))
        return " ".join(map(str, value.values()))
    if isinstance(value, list):
        return ", ".join(
            " ".join(map(_counted, one.values())) if isinstance(one, dict) else str(one)
            for one in value
        )
    if member.form == MOMENT and isinstance(value, int):
        return f"{datetime.fromtimestamp(value, _CHINA):%Y-%m-%d %H:%M:%S +08:00}"
    return str(value)


def _counted(value: Json) -> str:
    return f"({len(value)})" if isinstance(value, list) else str(value)


def _read_members(reader: Reader, members: Iterable[Member]) -> None:
    for member in members:
        member.form.read(reader, member.name, optional=member.optional)


_COMMON_MEMBERS: Final = (
    Member("v", Integer(1, 1)),
    Member("kind", Text(64)),
    Member("origin", Text(255)),
    Member("region", Text(6)),
    Member("replaces", DIGEST, optional=True),
    Member("quorum", Integer(QUORUM_MIN + 1, QUORUM_MAX), optional=True),
    Member("not_before", MOMENT),
    Member("not_after", MOMENT),
    Member("uses_max", Integer(1, USES_MAX)),
    Member("requester", Text(72)),
    Member("nonce", Bytes(INTENT_NONCE_BYTES, INTENT_NONCE_BYTES), optional=True),
)


def _check_common(members: Mapping[str, Json]) -> None:
    reader = Reader({key: members[key] for key in members if key in _COMMON}, "", [])
    _read_members(reader, _COMMON_MEMBERS)
    reader.check()


def _is_consistent(intent: Intent) -> bool:
    return (
        intent.not_before < intent.not_after
        and (intent.kind.is_standing or intent.uses_max == 1)
        and _OFFICER.fullmatch(intent.requester) is not None
    )


def _integer(members: Mapping[str, Json], name: str) -> int:
    value = members[name]
    assert type(value) is int, "it was read as one"
    return value
