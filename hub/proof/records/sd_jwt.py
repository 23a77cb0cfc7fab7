"""Record seals: an authority's seal on a certificate's data, shown field by field (SD-JWT).

The profile of formats-jose.md §5: flat records, every field selectively disclosable, the same
number of digests for every certificate of a type.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring
from typing import Final

from cryptography import x509

from hub.domain.certificate import Conversion, Grade, Origin, grade_of
from hub.domain.certificate import Custody as Custody
from hub.domain.holder import is_area
from hub.proof.encoding import Json, b64u_decode, b64u_each, digest, parse_object
from hub.proof.jose import (
    FORMAT_VERSION,
    JWS,
    SEAL_TYP,
    Algorithm,
    Keys,
    RegisteredKey,
    Signer,
    check_equal,
    check_issued,
    check_members,
    digest_claim,
    integer,
    open_jws,
    optional_string,
    sm2_thumbprint,
    split_segments,
    string,
    thumbprint,
)
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.batch import RECORDS_CLAIM, SHARED, unfold_record
from hub.proof.records.disclosure import (
    DISCLOSURES_MAX,
    SALT_BYTES,
    Disclosure,
    make_disclosures,
    member,
    parse_disclosures,
)
from hub.proof.x509.chain import (
    check_sm2_chain,
    check_x509_chain,
    leaf_public_key,
    load_sm2_chain,
    load_x509_chain,
    organisation,
)
from hub.proof.x509.sm2 import X509

PRESENTATION_SIZE_MAX: Final = 65_536
SD_MAX: Final = 256
SD_STEP: Final = 8
"""`_sd` holds a multiple of this many digests, so that its length tells only the type."""

DECOY_BYTES: Final = 32
VERSION_MAX: Final = 999
HOLDER_CLAIMS: Final = frozenset({"holder_type", "holder_number"})
HOLDERS_CLAIM: Final = "holders"

_REQUIRED: Final = frozenset(
    {
        "v",
        "origin",
        "region",
        "iss",
        "vct",
        "vct#integrity",
        "type_version",
        "iat",
        "cert",
        "version",
        "status",
        "custody",
        "src",
        "algs",
        "_sd",
        "_sd_alg",
    }
)
_OPTIONAL: Final = frozenset({"delegation", "attested_by", "conversion"})
_BATCH: Final = frozenset({*SHARED, RECORDS_CLAIM})
_RESERVED: Final = (
    _REQUIRED
    | _OPTIONAL
    | {RECORDS_CLAIM, "cnf", "nbf", "exp", "aud", "sub", "jti", "aka_vcts", "..."}
)
_text: Final = encode_basestring
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_ALGS: Final = (["ES256"], ["ES256", "SM2"])


@dataclass(frozen=True, slots=True)
class Source:
    """The signed connector row a record came from; `row` is its leaf in base64url."""

    batch: str
    i: int
    n: int
    row: str


@dataclass(frozen=True, slots=True)
class StatusReference:
    """Where a record's status stands."""

    idx: int
    uri: str


@dataclass(frozen=True, slots=True)
class RecordClaims:
    """The clear claims of a record.

    `vct_integrity` is the whole `sha256-…` text. `delegation` is present exactly for the hub's
    custodies, `attested_by` exactly for ATTESTED; `conversion` exactly where the record was made
    from scanned paper, so that a scan is never shown as an original. `algs` names SM2 where an SM2
    twin exists: whoever requires SM2 must not read an ES256 text alone as valid.
    """

    origin: str
    region: str
    iss: str
    vct: str
    vct_integrity: str
    type_version: int
    iat: int
    cert: str
    version: int
    status: StatusReference
    custody: Custody
    src: Source
    delegation: str | None = None
    attested_by: str | None = None
    conversion: Conversion | None = None
    algs: tuple[str, ...] = ("ES256",)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """A sealed record; `disclosures` stand in the order of their digests in `_sd`."""

    jws: str
    disclosures: tuple[Disclosure, ...]


@dataclass(frozen=True, slots=True)
class Digests:
    """`_sd` of one record and its disclosures in that order, decoys left out.

    `decoys` are what the other digests hash, 32 bytes each: a signer that is not shown them could
    not tell a decoy from a claim that is hidden to be shown later.
    """

    sd: tuple[str, ...]
    disclosures: tuple[Disclosure, ...]
    decoys: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a verifier asked for. `fields` are without the holder claims.

    `cert` is given when asked by identifier, `holder` (type, number) when asked by holder,
    `version` where a request or receipt names one.
    """

    origin: str
    region: str
    vct: str
    fields: frozenset[str]
    cert: str | None = None
    holder: tuple[str, str] | None = field(default=None, repr=False)
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Presentation:
    """A genuine seal with what it discloses. Not yet an exchange: only a receipt says that.

    `disclosed` holds the holder claims too; `claims` is the processed payload.
    """

    record: RecordClaims
    disclosed: Mapping[str, Json] = field(repr=False)
    claims: Mapping[str, Json] = field(repr=False)
    sd_hash: str
    kid: str
    algorithm: Algorithm = Algorithm.ES256

    @property
    def custody(self) -> Custody:
        """Who kept the sealing key; every report prints it."""
        return self.record.custody

    @property
    def origin(self) -> Origin:
        """What it was made from; a scan is never an original."""
        return Origin.SYSTEM if self.record.conversion is None else Origin.SCAN

    @property
    def grade(self) -> Grade:
        """The trust grade of the record."""
        return grade_of(self.record.custody, self.origin)


# -- Making ----------------------------------------------------------------------------------------


def digests_of_type(disclosures_n: int) -> int:
    """How many `_sd` digests a type has whose records have at most `disclosures_n` disclosures."""
    return max(1, -(-disclosures_n // SD_STEP)) * SD_STEP


def draw_digests(values: Mapping[str, Json], digests_n: int) -> Digests:
    """Fresh salts, decoys up to `digests_n`, shuffled.

    `values` names every field of the type, absent ones as null. Raises ProofError
    (DISCLOSURE_RESERVED_NAME) for a name no field may have, (SD_NESTED) for a value with digests
    inside and (SD_MALFORMED) where the type has fewer digests than there are values.
    """
    count = len(values)
    if not count <= digests_n <= SD_MAX or count > DISCLOSURES_MAX:
        raise ProofError(ProofReason.SD_MALFORMED)
    # All randomness in one call to the kernel: salts, decoys, then a sort key for each digest.
    decoys_at = SALT_BYTES * count
    order_at = decoys_at + DECOY_BYTES * (digests_n - count)
    drawn = os.urandom(order_at + 16 * digests_n)
    for name, value in values.items():
        if not _may_name(name):
            raise ProofError(ProofReason.DISCLOSURE_RESERVED_NAME)
        if isinstance(value, dict | list):
            _check_flat(value)
    disclosures, hashes = make_disclosures(_blocks(drawn[:decoys_at], SALT_BYTES), values)
    decoys = drawn[decoys_at:order_at]
    hashes += [sha256(decoy).digest() for decoy in _blocks(decoys, DECOY_BYTES)]
    texts = b64u_each(hashes)
    order = sorted(range(digests_n), key=_blocks(drawn[order_at:], 16).__getitem__)
    return Digests(
        tuple([texts[place] for place in order]),
        tuple([disclosures[place] for place in order if place < count]),
        decoys,
    )


def record_payload(claims: RecordClaims, sd: Sequence[str]) -> bytes:
    """The payload bytes; the twins of a record share them. Raises ProofError(CUSTODY_INVALID)."""
    _check_custody(claims.custody, claims.delegation, claims.attested_by)
    status, source = claims.status, claims.src
    allowed_by = ""
    if claims.delegation is not None:
        allowed_by += f'"delegation":{_text(claims.delegation)},'
    if claims.attested_by is not None:
        allowed_by += f'"attested_by":{_text(claims.attested_by)},'
    if claims.conversion is not None:
        conversion = claims.conversion
        allowed_by += (
            f'"conversion":{{"officer":{_text(conversion.officer)},'
            f'"attestation":{_text(conversion.attestation)}}},'
        )
    # Written out: of a batch of records, the general encoder would cost as much as their signing.
    payload = (
        f'{{"v":{FORMAT_VERSION:d},"origin":{_text(claims.origin)},"region":{_text(claims.region)},'
        f'"iss":{_text(claims.iss)},"vct":{_text(claims.vct)},'
        f'"vct#integrity":{_text(claims.vct_integrity)},"type_version":{claims.type_version:d},'
        f'"iat":{claims.iat:d},"cert":{_text(claims.cert)},"version":{claims.version:d},'
        f'"status":{{"status_list":{{"idx":{status.idx:d},"uri":{_text(status.uri)}}}}},'
        f'"custody":{_text(claims.custody.value)},{allowed_by}'
        f'"src":{{"batch":{_text(source.batch)},"i":{source.i:d},"n":{source.n:d},'
        f'"row":{_text(source.row)}}},"algs":[{",".join(map(_text, claims.algs))}],'
        f'"_sd":[{",".join(map(_text, sd))}],"_sd_alg":"sha-256"}}'
    )
    try:
        return payload.encode()
    except UnicodeEncodeError as error:
        raise ProofError(ProofReason.JSON_MALFORMED, "a lone surrogate") from error


def parse_record_payload(payload: bytes) -> tuple[RecordClaims, list[str]]:
    """The clear claims and `_sd` of a payload, read strictly. Other spellings of the same claims
    are read too: whoever needs the bytes compares what `record_payload` makes. Raises ProofError.
    """
    claims = parse_object(payload)
    check_members(claims, _REQUIRED, _OPTIONAL)
    sd = _sd(claims)
    if len(set(sd)) != len(sd):
        raise ProofError(ProofReason.DIGEST_DUPLICATE)
    return _record(claims, _custody(claims)), sd


def seal_record(
    claims: RecordClaims, values: Mapping[str, Json], *, digests_n: int, signer: Signer
) -> SealedRecord:
    """A sealed record with fresh salts. Raises as `draw_digests` and `record_payload`."""
    digests = draw_digests(values, digests_n)
    jws = signer.compact(SEAL_TYP, record_payload(claims, digests.sd))
    return SealedRecord(jws, digests.disclosures)


def present(jws: str, disclosures: Iterable[Disclosure], names: Collection[str]) -> str:
    """The presentation of `names`, holder claims to be named like any other.

    `disclosures` stand in `_sd` order, so the same names give the same bytes. Raises
    ProofError(FIELD_MISSING) for a name without disclosure, (DISCLOSURE_NONE) for no name at all.
    """
    wanted = frozenset(names)
    if not wanted:
        raise ProofError(ProofReason.DISCLOSURE_NONE)
    texts = [disclosure.text for disclosure in disclosures if disclosure.name in wanted]
    if len(texts) != len(wanted):
        raise ProofError(ProofReason.FIELD_MISSING)
    return "~".join((jws, *texts, ""))


# -- Verifying -------------------------------------------------------------------------------------


def verify_presentation(
    text: str,
    expected: Expectation,
    *,
    keys: Keys | None,
    anchors: Sequence[x509.Certificate],
    now: int,
) -> Presentation:
    """Steps P1 to P11 of formats-jose.md §5 in order; status and receipt come after.

    Without `keys` the key is the one in `x5c`, which the pinned `anchors` must vouch for anyway.
    Raises ProofError with the reason of the first failing step; without any anchor X5C_UNTRUSTED
    is *cannot check*.
    """
    presentation = open_record(
        text,
        origin=expected.origin,
        region=expected.region,
        keys=keys,
        anchors=anchors,
        now=now,
    )
    check_asked(presentation, expected)
    return presentation


def open_record(
    text: str,
    *,
    origin: str,
    region: str,
    keys: Keys | None,
    anchors: Sequence[x509.Certificate],
    now: int,
) -> Presentation:
    """Steps P1 to P8, for whoever has a seal before him and no request to compare it with.

    Nothing may be disclosed: a seal alone. It may be either of two twins. Raises as
    `verify_presentation`.
    """
    compact, texts = _split(text)
    jws = _open_record(compact, keys)
    claims = jws.claims
    if RECORDS_CLAIM in claims:
        check_members(claims, _BATCH, frozenset())
        claims, texts = unfold_record(claims, texts)
    check_members(claims, _REQUIRED, _OPTIONAL)
    sd = _sd(claims)
    _check_issuer(jws, anchors, now)
    check_equal(
        claims,
        {
            "origin": (origin, ProofReason.ORIGIN_WRONG),
            "region": (region, ProofReason.REGION_WRONG),
        },
    )
    custody = _custody(claims)
    disclosed = _disclosed(claims, sd, parse_disclosures(texts))
    record = _record(claims, custody)
    algorithm = jws.key.algorithm
    if algorithm.name not in record.algs:
        raise ProofError(ProofReason.ALG_MISMATCH, "a seal by another algorithm than it names")
    processed = {name: claims[name] for name in claims if name not in ("_sd", "_sd_alg")}
    sd_hash = digest(text)
    return Presentation(record, disclosed, processed | disclosed, sd_hash, jws.key.kid, algorithm)


def check_asked(presentation: Presentation, expected: Expectation) -> None:
    """The end of P8, and P9 to P11: something is disclosed, and it is what was asked for."""
    record, disclosed = presentation.record, presentation.disclosed
    if not disclosed:
        raise ProofError(ProofReason.DISCLOSURE_NONE)
    if record.vct != expected.vct:
        raise ProofError(ProofReason.VCT_MISMATCH)
    if expected.cert is not None and record.cert != expected.cert:
        raise ProofError(ProofReason.CERT_MISMATCH)
    check_version(record, expected.version)
    holder_claims = HOLDER_CLAIMS
    if expected.holder is not None:
        # Areas share what they hold, and who they are is public: all of them are shown.
        if is_area(expected.holder[0]) and HOLDERS_CLAIM in disclosed:
            holder_claims = frozenset({HOLDERS_CLAIM})
        _check_holder(disclosed, expected.holder, holder_claims)
    fields = disclosed.keys() - holder_claims
    if expected.fields - fields:
        raise ProofError(ProofReason.FIELD_MISSING)
    if fields - expected.fields:
        raise ProofError(ProofReason.FIELD_UNEXPECTED)


def _check_holder(
    disclosed: Mapping[str, Json], holder: tuple[str, str], claims: frozenset[str]
) -> None:
    """Whoever was named is disclosed, alone or as one of several areas."""
    if not disclosed.keys() >= claims:
        raise ProofError(ProofReason.HOLDER_NOT_DISCLOSED)
    kind, number = holder
    if claims == HOLDER_CLAIMS:
        is_named = (disclosed["holder_type"], disclosed["holder_number"]) == holder
    else:
        several = disclosed[HOLDERS_CLAIM]
        is_named = isinstance(several, list) and {"type": kind, "number": number} in several
    if not is_named:
        raise ProofError(ProofReason.HOLDER_MISMATCH)


def key_of_chain(header: Mapping[str, Json], kid: str) -> RegisteredKey:
    """The key `kid` as the leaf of the header's chain certifies it, `owner` being the credit code
    there. Who vouches for the chain is not looked at. Raises ProofError.
    """
    if header.get("alg") == Algorithm.SM2:
        leaf, _ = load_sm2_chain(header.get("x5c"))
        return RegisteredKey(
            _sm2_kid(leaf, kid), Algorithm.SM2, SEAL_TYP, leaf.organization_identifier, leaf.key
        )
    chain = load_x509_chain(header.get("x5c"))
    key = leaf_public_key(chain)
    if thumbprint(key) != kid:
        raise ProofError(ProofReason.X5C_KEY_MISMATCH)
    return RegisteredKey(kid, Algorithm.ES256, SEAL_TYP, organisation(chain[0]) or "", key)


def check_version(record: RecordClaims, expected: int | None = None) -> None:
    """The record's version is its identifier's, and the expected one. Raises VERSION_MISMATCH."""
    segments = record.cert.split(".")
    segment = segments[-2] if len(segments) > 1 else ""
    if not 1 <= record.version <= VERSION_MAX or f"{record.version:03d}" != segment:
        raise ProofError(ProofReason.VERSION_MISMATCH)
    if expected is not None and record.version != expected:
        raise ProofError(ProofReason.VERSION_MISMATCH)


def _split(text: str) -> tuple[str, list[str]]:
    """P1: the issuer's JWS and the disclosures."""
    if len(text) > PRESENTATION_SIZE_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    compact, *texts = text.split("~")
    if not texts:
        raise ProofError(ProofReason.NOT_SD_JWT)
    last = texts.pop()
    if last:
        key_binding = last.count(".") == 2
        raise ProofError(
            ProofReason.KEY_BINDING_UNEXPECTED if key_binding else ProofReason.NOT_SD_JWT
        )
    if not all(texts):
        raise ProofError(ProofReason.NOT_SD_JWT)
    if len(texts) > DISCLOSURES_MAX:
        raise ProofError(ProofReason.TOO_LARGE)
    return compact, texts


def _open_record(compact: str, keys: Keys | None) -> JWS:
    """P2."""

    def key_of_leaf(kid: str) -> RegisteredKey:
        return key_of_chain(parse_object(b64u_decode(split_segments(compact)[0])), kid)

    return open_jws(compact, typ=SEAL_TYP, keys=keys or key_of_leaf, size_max=PRESENTATION_SIZE_MAX)


def _sd(claims: Mapping[str, Json]) -> list[str]:
    """P3."""
    if claims["_sd_alg"] != "sha-256":
        raise ProofError(ProofReason.SD_ALG)
    sd = claims["_sd"]
    if not isinstance(sd, list) or len(sd) > SD_MAX:
        raise ProofError(ProofReason.SD_MALFORMED)
    digests = [item for item in sd if isinstance(item, str)]
    try:
        whole = all(len(b64u_decode(item)) == 32 for item in digests)
    except ProofError as error:
        raise ProofError(ProofReason.SD_MALFORMED) from error
    if not whole or len(digests) != len(sd):
        raise ProofError(ProofReason.SD_MALFORMED)
    return digests


def _check_issuer(jws: JWS, anchors: Sequence[x509.Certificate], now: int) -> None:
    """P4."""
    iat = integer(jws.claims, "iat")
    if jws.key.algorithm is Algorithm.SM2:
        leaf, others = load_sm2_chain(jws.header.get("x5c"))
        _sm2_kid(leaf, jws.key.kid)
        check_sm2_chain(leaf, others, anchors, at=iat)
        issuer: str | None = leaf.organization_identifier
    else:
        chain = load_x509_chain(jws.header["x5c"])
        if thumbprint(leaf_public_key(chain)) != jws.key.kid:
            raise ProofError(ProofReason.X5C_KEY_MISMATCH)
        check_x509_chain(chain, anchors, at=iat)
        issuer = organisation(chain[0])
    if issuer != string(jws.claims, "iss"):
        raise ProofError(ProofReason.ISSUER_MISMATCH)
    check_issued(iat, now)


def _sm2_kid(leaf: X509, kid: str) -> str:
    if leaf.key is None or sm2_thumbprint(leaf.key) != kid:
        raise ProofError(ProofReason.X5C_KEY_MISMATCH)
    return kid


def _custody(claims: Mapping[str, Json]) -> Custody:
    """P5."""
    value = claims["custody"]
    if value not in tuple(Custody):
        raise ProofError(ProofReason.CUSTODY_INVALID)
    custody = Custody(string(claims, "custody"))
    _check_custody(
        custody, optional_string(claims, "delegation"), optional_string(claims, "attested_by")
    )
    return custody


def _check_custody(custody: Custody, delegation: str | None, attested_by: str | None) -> None:
    by_hub = custody in (Custody.HUB_HSM, Custody.HUB_FILE)
    attested = custody is Custody.ATTESTED
    if by_hub != (delegation is not None) or attested != (attested_by is not None):
        raise ProofError(ProofReason.CUSTODY_INVALID)


def _disclosed(
    claims: Mapping[str, Json], sd: Sequence[str], found: Mapping[str, list[Json]]
) -> dict[str, Json]:
    """P7 and P8 but for its end: name to value, in `_sd` order."""
    if len(set(sd)) != len(sd):
        raise ProofError(ProofReason.DIGEST_DUPLICATE)
    for name, value in claims.items():
        if name != "_sd":
            _check_flat(value)
    disclosed: dict[str, Json] = {}
    for item in sd:
        elements = found.get(item)
        if elements is None:
            continue
        name, value = member(elements)
        if name in claims or name in disclosed:
            raise ProofError(ProofReason.DISCLOSURE_NAME_CLASH)
        if name in _RESERVED:
            raise ProofError(ProofReason.DISCLOSURE_RESERVED_NAME)
        _check_flat(value)
        disclosed[name] = value
    if len(disclosed) != len(found):
        raise ProofError(ProofReason.DISCLOSURE_UNREFERENCED)
    return disclosed


def _check_flat(value: Json) -> None:
    """No digests inside a value."""
    if isinstance(value, dict):
        if "_sd" in value or "..." in value:
            raise ProofError(ProofReason.SD_NESTED)
        if "_sd_alg" in value:
            raise ProofError(ProofReason.SD_MALFORMED)
        for inner in value.values():
            _check_flat(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_flat(inner)


def _record(claims: Mapping[str, Json], custody: Custody) -> RecordClaims:
    """The clear claims with their types. Raises ProofError(CLAIM_INVALID)."""
    algs = claims["algs"]
    if algs not in _ALGS:
        raise ProofError(ProofReason.CLAIM_INVALID, "algs")
    return RecordClaims(
        origin=string(claims, "origin"),
        region=string(claims, "region"),
        iss=string(claims, "iss"),
        vct=string(claims, "vct"),
        vct_integrity=string(claims, "vct#integrity"),
        type_version=integer(claims, "type_version", least=1),
        iat=integer(claims, "iat"),
        cert=string(claims, "cert"),
        version=integer(claims, "version"),
        status=_status(claims["status"]),
        custody=custody,
        src=_source(claims["src"]),
        delegation=optional_string(claims, "delegation"),
        attested_by=optional_string(claims, "attested_by"),
        conversion=_conversion(claims["conversion"]) if "conversion" in claims else None,
        algs=("ES256",) if algs == _ALGS[0] else ("ES256", "SM2"),
    )


def _conversion(value: Json) -> Conversion:
    if not isinstance(value, dict) or value.keys() != {"officer", "attestation"}:
        raise ProofError(ProofReason.CLAIM_INVALID, "conversion")
    digest_claim(value, "attestation")
    return Conversion(string(value, "officer"), string(value, "attestation"))


def _status(value: Json) -> StatusReference:
    reference = value.get("status_list") if isinstance(value, dict) and len(value) == 1 else None
    if not isinstance(reference, dict) or reference.keys() != {"idx", "uri"}:
        raise ProofError(ProofReason.CLAIM_INVALID, "status")
    return StatusReference(integer(reference, "idx"), string(reference, "uri"))


def _source(value: Json) -> Source:
    if not isinstance(value, dict) or value.keys() != {"batch", "i", "n", "row"}:
        raise ProofError(ProofReason.CLAIM_INVALID, "src")
    digest_claim(value, "row")
    return Source(
        string(value, "batch"),
        integer(value, "i"),
        integer(value, "n", least=1),
        string(value, "row"),
    )


def _blocks(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


# Names are those of a few types; each is judged once.
@lru_cache(maxsize=4096)
def _may_name(name: str) -> bool:
    return name not in _RESERVED and _NAME.fullmatch(name) is not None
