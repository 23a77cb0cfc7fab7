"""Strict JSON: one text, one meaning, or a refusal (formats-jose.md §1, "JSON that we accept").

JSON libraries let the last of two equal members win, round large numbers and accept `NaN`. Each of
these is a second reading of signed bytes, so whatever is signed is read by this file.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"

DEPTH_MAX: Final = 16
INTEGER_MAX: Final = 2**53 - 1


class Fault(StrEnum):
    """What kind of rule a text breaks."""

    MALFORMED = "malformed"
    DUPLICATE_MEMBER = "duplicate member"
    NUMBER = "number"
    DEPTH = "depth"


class NotStrictJsonError(ValueError):
    """Why a text is not strict JSON; never holds a value of it."""

    def __init__(self, fault: Fault, rule: str) -> None:
        self.fault = fault
        super().__init__(rule)


def emit(value: Json) -> bytes:
    """UTF-8 without white space and without escapes beyond those JSON demands.

    Raises NotStrictJsonError for a lone surrogate, which has no UTF-8.
    """
    try:
        return _ENCODE(value).encode()
    except UnicodeEncodeError as error:
        raise NotStrictJsonError(Fault.MALFORMED, "a lone surrogate") from error


def parse(data: bytes) -> Json:
    """One value: no member twice, integers below 2^53 only, no lone surrogates, 16 levels.

    Raises NotStrictJsonError.
    """
    try:
        text = data.decode("utf-8")
        value: Json = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        rule = f"not UTF-8 at byte {error.start}"
        raise NotStrictJsonError(Fault.MALFORMED, rule) from error
    except json.JSONDecodeError as error:
        raise NotStrictJsonError(Fault.MALFORMED, f"at character {error.pos}") from error
    except RecursionError as error:
        raise NotStrictJsonError(Fault.DEPTH, "nested too deep") from error
    # Few texts hold so many brackets at all; only those are walked.
    if text.count("[") + text.count("{") > DEPTH_MAX:
        _check_depth(value, DEPTH_MAX)
    # A lone surrogate can only come from an escape; what cannot be encoded was one.
    if "\\u" in text:
        emit(value)
    return value


def parse_object(data: bytes) -> dict[str, Json]:
    """As `parse`, and the value is an object."""
    value = parse(data)
    if not isinstance(value, dict):
        raise NotStrictJsonError(Fault.MALFORMED, "not an object")
    return value


def _members(pairs: Sequence[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise NotStrictJsonError(Fault.DUPLICATE_MEMBER, "a member occurs twice")
    return members


def _integer(text: str) -> int:
    # Sixteen digits and a sign hold every number allowed; longer texts are not even converted.
    if text == "-0" or len(text) > 17 or abs(int(text)) > INTEGER_MAX:
        _no_number(text)
    return int(text)


def _no_number(_: str) -> NoReturn:
    raise NotStrictJsonError(Fault.NUMBER, "a number is not an integer below 2^53")


def _check_depth(value: Json, left: int) -> None:
    if not isinstance(value, list | dict):
        return
    if left == 0:
        raise NotStrictJsonError(Fault.DEPTH, "nested too deep")
    for item in value.values() if isinstance(value, dict) else value:
        _check_depth(item, left - 1)


_ENCODE: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_members,
    parse_int=_integer,
    parse_float=_no_number,
    parse_constant=_no_number,
)
