"""What entries of the log say of the keys of seals: in whose custody one was made, and since when
one is in other hands. Read alike by the hub and by whoever keeps a trust file (docs/adr/0056)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hub.proof.encoding import Json, b64u, parse_object
from hub.proof.jose import LogHead
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.receipt import LogTrust, open_proof, open_upgrades, parse_receipt, read_act
from hub.proof.trust import KEY_CUSTODIES, KEY_NAME, Compromise, KeyCustody, Trust


@dataclass(frozen=True, slots=True)
class KeyStatements:
    """What is said of keys, by the names that a trust file may call them."""

    custodies: tuple[KeyCustody, ...] = ()
    compromised: tuple[Compromise, ...] = ()


def read_statements(body: bytes, origin: str) -> KeyStatements:
    """What the entry with this body says. Entries from before keys were named by their digest say
    no custody.

    Raises ProofError: as `read_act`, BODY_KIND for an entry about something else, CLAIM_INVALID for
    a member that is missing or no such thing.
    """
    kind = read_act(body, origin).kind
    data = parse_object(body).get("data")
    if not isinstance(data, dict):
        raise ProofError(ProofReason.BODY_KIND, kind)
    match kind:
        case "key.generated":
            return KeyStatements(custodies=tuple(_custodies([data])))
        case "seal.applied":
            keys = data.get("keys")
            return KeyStatements(
                custodies=tuple(_custodies(keys if isinstance(keys, list) else []))
            )
        case "key.compromised":
            since = data.get("since")
            if type(since) is not int or since < 0:
                raise ProofError(ProofReason.CLAIM_INVALID, "since")
            # A record seal knows its key by one name, a document by the other.
            names = (_key_name(data, "key_id"), _key_name(data, "key_digest"))
            return KeyStatements(compromised=tuple([Compromise(name, since) for name in names]))
    raise ProofError(ProofReason.BODY_KIND, kind)


def proven_statements(receipt: str, trust: LogTrust) -> tuple[KeyStatements, LogHead]:
    """What the entry of `receipt` says, and the newest head of the trusted log that holds it.

    Raises ProofError: as `parse_receipt`, `open_proof`, `open_upgrades` and `read_statements`.
    """
    parsed = parse_receipt(receipt.encode())
    proof, checkpoint = open_proof(parsed, parsed.proof, trust)
    newest = [checkpoint, *open_upgrades(parsed, proof.index, checkpoint, trust)][-1]
    head = LogHead(newest.origin, newest.size, b64u(newest.root))
    return read_statements(parsed.body, trust.origin), head


def with_statements(trust: Trust, statements: Iterable[KeyStatements]) -> Trust:
    """`trust` with what `statements` add to it.

    A custody that it names stays: what its reader wrote he may have seen himself. A compromise only
    ever begins earlier: nobody makes believable again what was not.
    """
    custodies = {item.key: item for item in trust.custodies}
    compromised = {item.key: item for item in sorted(trust.compromised, key=lambda one: -one.since)}
    for said in statements:
        for custody in said.custodies:
            custodies.setdefault(custody.key, custody)
        for item in said.compromised:
            known = compromised.get(item.key)
            if known is None or item.since < known.since:
                compromised[item.key] = item
    return replace(
        trust, custodies=tuple(custodies.values()), compromised=tuple(compromised.values())
    )


def _custodies(keys: Iterable[Json]) -> Iterable[KeyCustody]:
    for key in keys:
        if isinstance(key, dict) and "key_digest" in key:
            custody = KEY_CUSTODIES.get(str(key.get("custody")))
            if custody is None:
                raise ProofError(ProofReason.CLAIM_INVALID, "custody")
            yield KeyCustody(_key_name(key, "key_digest"), custody)


def _key_name(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not KEY_NAME.fullmatch(value):
        raise ProofError(ProofReason.CLAIM_INVALID, name)
    return value
