"""That values of a certificate left the hub, as one entry of the log says."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.certificate_type import DOCUMENT_FIELD


@dataclass(frozen=True, slots=True)
class Received:
    """`fields` of a version were given to `system` by log entry `entry`, or confirmed to it; a
    document (`DOCUMENT_FIELD`) shows all of them.

    `is_named`: it knows the identifier; who asked by holder whether values are right does not.
    """

    system: str
    entry: int
    fields: frozenset[str]
    is_named: bool

    def of(self, fields: frozenset[str]) -> frozenset[str]:
        """Those of `fields` that it was given."""
        return fields if DOCUMENT_FIELD in self.fields else self.fields & fields
