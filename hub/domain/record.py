"""What a certificate's data becomes when it is sealed: asked of the seals, answered by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.certificate import Custody
from hub.domain.strict_json import Json


@dataclass(frozen=True, slots=True)
class SealingOrder:
    """Whose records of which type shall be sealed, and the signed batch they come from.

    `authority` is a resource name; `manifest` and `batch` are claims of the batch root and
    `rows_n` its `n`; `root_jws` is the root as the department signed it and `rows` salt and bytes
    of each of its rows, so that the signer can check for itself what was signed. `type_code` has 21
    characters; `integrity` is the `sha256-…` text of the type's published document; `digests_n`
    the number of `_sd` digests of each record of the type.
    """

    authority: str
    authority_uscc: str
    type_code: str
    vct: str
    type_version: int
    integrity: str
    digests_n: int
    manifest: str
    batch: str
    rows_n: int
    root_jws: str = field(repr=False)
    rows: Sequence[tuple[bytes, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Record:
    """One version of a certificate to be sealed.

    `row_index` names the signed row; `backfill` says that it was issued before its connector was
    enrolled; `in_force` is False for a version that is replaced before the batch ends. `values` are
    all selectively disclosable claims (`record_values`).
    """

    version_id: str
    identifier: str
    version: int
    row_index: int
    backfill: bool
    in_force: bool
    retention_class: str
    values: Mapping[str, Json] = field(repr=False)


def record_values(
    holders: Sequence[tuple[str, str]], fields: Mapping[str, Json], names: Iterable[str]
) -> dict[str, Json]:
    """What is sealed of a row: its holders, the fields of its type by `names`, its documents (none
    yet); absent ones as None. `holders` are (type, number).

    Several holders are one value: to disclose one of them is to disclose them all.
    """
    values: dict[str, Json] = {}
    if len(holders) > 1:
        values["holders"] = [{"type": kind, "number": number} for kind, number in holders]
    else:
        kind, number = holders[0] if holders else (None, None)
        values |= {"holder_type": kind, "holder_number": number}
    for name in names:
        values[name] = fields.get(name)
    values["docs"] = None
    return values


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """What came of a record. `disclosures` is a JSON array of [name, text] in the order of `_sd`.

    `status_place` is where its status stands; only the seals read it.
    """

    version_id: str
    custody: Custody
    status_place: str
    disclosures: bytes = field(repr=False)
