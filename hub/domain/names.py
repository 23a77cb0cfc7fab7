"""Resource names: `collection/{id}`, opaque and safe to log.

No personal data ever stands in a name. Ids that the hub chooses are hexadecimal: 128 random
bits, or a time and at least 80.
"""

from __future__ import annotations

import re
import secrets
import uuid
from typing import Final

from hub.domain.rules import violation
from hub.errors import HubError, Reason

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{2,62}")


def new_id() -> str:
    """A fresh opaque id: 32 lower-case hexadecimal digits."""
    return secrets.token_hex(16)


def new_id_at(time_us: int, random_bytes: int = 10) -> str:
    """A fresh opaque id in hexadecimal that sorts by its time, in milliseconds."""
    return f"{time_us // 1000:012x}{secrets.token_hex(random_bytes)}"


def check_id(value: str, *, field: str) -> str:
    """`value`, a well-formed id. Raises HubError(FIELD_INVALID)."""
    if not _ID.fullmatch(value):
        broken = violation(field, "id.form")
        raise HubError(Reason.FIELD_INVALID, violations=(broken,), field=field, rule=broken.rule)
    return value


def parse(name: str, form: str) -> tuple[str, ...]:
    """The ids in `name`, which must have the form of e.g. `authorities/{authority}/seals/{seal}`.

    Raises HubError(NAME_MALFORMED).
    """
    given, wanted = name.split("/"), form.split("/")
    if len(given) != len(wanted) or len(name) > 400:
        raise HubError(Reason.NAME_MALFORMED, name=name[:100], form=form)
    ids = []
    for part, pattern in zip(given, wanted, strict=True):
        if pattern.startswith("{"):
            if not _ID.fullmatch(part):
                raise HubError(Reason.NAME_MALFORMED, name=name[:100], form=form)
            ids.append(part)
        elif part != pattern:
            raise HubError(Reason.NAME_MALFORMED, name=name[:100], form=form)
    return tuple(ids)


def check_request_id(value: str) -> str:
    """`value`, a UUID of 36 lower-case characters. Raises HubError(REQUEST_ID_INVALID)."""
    try:
        canonical = str(uuid.UUID(value))
    except ValueError as error:
        raise HubError(Reason.REQUEST_ID_INVALID) from error
    if canonical != value:
        raise HubError(Reason.REQUEST_ID_INVALID)
    return value
