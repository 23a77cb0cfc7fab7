"""What entries of the log say of the keys of seals: in whose custody one was made and for what, its
certificate, and since when it is in other hands. Read alike by the hub and by whoever keeps a trust
file (docs/adr/0056)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cryptography import x509

from hub.domain.seal_key import KeyUse
from hub.proof.encoding import Json, b64u, parse_object
from hub.proof.jose import LogHead
from hub.proof.log.receipt import LogTrust, open_proof, open_upgrades, parse_receipt, read_act
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.trust import KEY_CUSTODIES, KEY_NAME, Compromise, KeyCustody, Trust
from hub.proof.x509.chain import check_x509_chain, load_x509_chain


@dataclass(frozen=True, slots=True)
class KeyCertificate:
    """The chain (base64 of DER, leaf first) that put a key in force; `key` is its name there."""

    key: str
    x509_chain: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class KeyStatements:
    """What is said of keys, by the names that a trust file may call them; `face_keys` are the hub's
    names of those that sign codes on faces."""

    custodies: tuple[KeyCustody, ...] = ()
    compromised: tuple[Compromise, ...] = ()
    face_keys: frozenset[str] = frozenset()
    certificates: tuple[KeyCertificate, ...] = ()


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
            return _made([data])
        case "seal.applied":
            return _made(_listed(data, "keys"))
        case "key.activated" | "key.rotated":
            return _in_force([data])
        case "seal.made" | "seal.renewed":
            return _in_force(_listed(data, "certificates"))
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


def with_statements(trust: Trust, statements: Sequence[KeyStatements], at: int) -> Trust:
    """`trust` with what `statements` add to it.

    A custody that it names stays: what its reader wrote he may have seen himself. A compromise only
    ever begins earlier: nobody makes believable again what was not. Certificates of keys for codes
    are taken where they lead to its `seal_anchors`, all in force `at` (seconds), or when the key's
    own ended: whom it trusts for records it may trust for codes, and nobody else. A code is held
    against the life of its certificate when it is verified.
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
        trust,
        custodies=tuple(custodies.values()),
        compromised=tuple(compromised.values()),
        face_certificates=_face_certificates(trust, statements, at),
    )


def _face_certificates(
    trust: Trust, statements: Sequence[KeyStatements], at: int
) -> tuple[x509.Certificate, ...]:
    faces = frozenset[str]().union(*[said.face_keys for said in statements])
    found = dict.fromkeys(trust.face_certificates)
    for certificate in [one for said in statements for one in said.certificates]:
        if certificate.key in faces:
            try:
                chain = load_x509_chain([*certificate.x509_chain])
                ends = int(chain[0].not_valid_after_utc.timestamp())
                check_x509_chain(chain, trust.seal_anchors, at=min(at, ends))
            except ProofError:
                continue
            found[chain[0]] = None
    return tuple(found)


def _made(keys: Sequence[dict[str, Json]]) -> KeyStatements:
    faces = [str(key.get("key")) for key in keys if key.get("use") == KeyUse.FACE.value]
    return KeyStatements(custodies=tuple(_custodies(keys)), face_keys=frozenset(faces))


def _in_force(certificates: Sequence[dict[str, Json]]) -> KeyStatements:
    found = []
    for one in certificates:
        chain = one.get("x509_chain")
        if isinstance(chain, list):
            found.append(KeyCertificate(str(one.get("key")), tuple(chain)))
    return KeyStatements(certificates=tuple(found))


def _listed(data: dict[str, Json], name: str) -> list[dict[str, Json]]:
    values = data.get(name)
    return [one for one in values if isinstance(one, dict)] if isinstance(values, list) else []


def _custodies(keys: Sequence[dict[str, Json]]) -> Iterable[KeyCustody]:
    for key in keys:
        if "key_digest" in key:
            custody = KEY_CUSTODIES.get(str(key.get("custody")))
            if custody is None:
                raise ProofError(ProofReason.CLAIM_INVALID, "custody")
            yield KeyCustody(_key_name(key, "key_digest"), custody)


def _key_name(members: dict[str, Json], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not KEY_NAME.fullmatch(value):
        raise ProofError(ProofReason.CLAIM_INVALID, name)
    return value
