"""What a caller of a provincial platform expects to read: status codes, in two dialects.

The standard's own list could not be read. The dialects are those of two deployed systems
(standards.md §1.8, [VS]); a code that neither has is 9xx and ours. Every code can be configured.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from hub.errors import Reason


class Kind(StrEnum):
    """What became of a call, as coarse as status codes are."""

    OK = "ok"
    NOT_SERVED = "not_served"
    ABSENT = "absent"
    IDENTITY = "identity"
    MISSING = "missing"
    TYPE_UNKNOWN = "type_unknown"
    ENDED = "ended"
    EXPIRED = "expired"
    RESTRICTED = "restricted"
    FORBIDDEN = "forbidden"
    INVALID = "invalid"
    HOLDER_TYPE = "holder_type"
    TYPE_CODE = "type_code"
    LIMITED = "limited"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


DIALECTS: Final[Mapping[str, Mapping[Kind, int]]] = {
    "shandong": {
        Kind.OK: 0,
        Kind.NOT_SERVED: 2,
        Kind.ABSENT: 10,
        Kind.IDENTITY: 11,
        Kind.MISSING: 12,
        Kind.TYPE_UNKNOWN: 13,
        Kind.ENDED: 21,
        Kind.EXPIRED: 22,
        Kind.RESTRICTED: 23,
        Kind.FORBIDDEN: 100,
        Kind.INVALID: 102,
        Kind.HOLDER_TYPE: 103,
        Kind.TYPE_CODE: 113,
        Kind.LIMITED: 916,
        Kind.UNAVAILABLE: 902,
        Kind.INTERNAL: 900,
    },
    "real-estate": {
        Kind.OK: 0,
        Kind.FORBIDDEN: 1,
        Kind.IDENTITY: 1,
        Kind.UNAVAILABLE: 2,
        Kind.ABSENT: 3,
        Kind.INVALID: 4,
        Kind.HOLDER_TYPE: 4,
        Kind.TYPE_CODE: 4,
        Kind.TYPE_UNKNOWN: 4,
        Kind.MISSING: 5,
        Kind.ENDED: 11,
        Kind.LIMITED: 16,
        Kind.NOT_SERVED: 17,
        Kind.EXPIRED: 922,
        Kind.RESTRICTED: 923,
        Kind.INTERNAL: 900,
    },
}

RESULTS: Final[Mapping[str, int]] = {
    "in_force": 0,
    "not_yet_in_force": 1,
    "suspended": 2,
    "ended": 3,
    "insufficient": 4,
    "not_confirmed": 5,
    "file_in_force": 0,
    "file_not_yet_in_force": 911,
    "file_suspended": 912,
    "file_ended": 913,
    "file_insufficient": 914,
    "file_not_confirmed": 910,
}
"""Codes of verify information on which two unrelated deployments agree, and of verify file, where 0
is that of one deployment; its 1 (the seal fails) and 2 (the file fails) say more than is known."""

RESULT_TEXTS: Final[Mapping[str, str]] = {
    "in_force": "信息正确且有效",
    "not_yet_in_force": "信息正确且未激活",
    "suspended": "信息正确且证照暂时失效",
    "ended": "信息正确且证照已失效",
    "insufficient": "信息不全，无法验证",
    "not_confirmed": "查无此信息",
    "file_in_force": "与库中文件逐字节一致，证照有效；文件内签章未核验",
    "file_not_yet_in_force": "与库中文件逐字节一致，证照尚未生效；文件内签章未核验",
    "file_suspended": "与库中文件逐字节一致，证照暂时失效；文件内签章未核验",
    "file_ended": "与库中文件逐字节一致，证照已失效；文件内签章未核验",
    "file_insufficient": "与库中多个证照的文件一致，请补充证照标识；文件内签章未核验",
    "file_not_confirmed": "库中没有与之逐字节一致的文件，无法核验；文件内签章未核验",
}

# What a reason of the hub is to a caller; all others are an invalid parameter.
KINDS: Final[Mapping[Reason, Kind]] = {
    **dict.fromkeys(
        (Reason.GRANT_MISSING, Reason.FIELD_NOT_GRANTED, Reason.ROLE_NOT_ALLOWED), Kind.FORBIDDEN
    ),
    **{reason: Kind.UNAVAILABLE for reason in Reason if reason.name.endswith("_UNAVAILABLE")},
    # The facade's own identity is the facade's fault, never the caller's.
    **dict.fromkeys(
        (
            Reason.PEER_UNKNOWN,
            Reason.TOKEN_MISSING,
            Reason.TOKEN_INVALID,
            Reason.TOKEN_EXPIRED,
            Reason.TOKEN_REVOKED,
            Reason.CALL_REFUSED,
            Reason.DECISION_STALE,
        ),
        Kind.UNAVAILABLE,
    ),
    Reason.RATE_LIMITED: Kind.LIMITED,
    Reason.CERTIFICATE_TYPE_NOT_FOUND: Kind.TYPE_UNKNOWN,
    Reason.HOLDER_INVALID: Kind.HOLDER_TYPE,
    Reason.INTERNAL: Kind.INTERNAL,
    Reason.REQUEST_INVALID: Kind.INTERNAL,
    Reason.DIGEST_MISMATCH: Kind.INTERNAL,
    Reason.BLOB_MISSING: Kind.INTERNAL,
    # The hub knows less of its log than the facade has seen: the operators' matter.
    Reason.LOG_SEEN_AHEAD: Kind.INTERNAL,
}


class FacadeRefusedError(Exception):
    """A call that is not answered: its kind, our reason, and the sentence in both languages.

    Nothing of it holds what the caller sent.
    """

    def __init__(self, kind: Kind, reason: str, zh: str, en: str) -> None:
        self.kind = kind
        self.reason = reason
        self.zh = zh
        self.en = en
        super().__init__(f"{reason}: {en}")
