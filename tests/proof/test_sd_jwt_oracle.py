"""Our texts in other implementations' hands, and theirs in ours.

`sd-jwt` is an oracle for the payloads of valid presentations only (it ignores much that we refuse),
so both directions compare what comes out. PyJWT and joserfc confirm signatures.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey
from jwcrypto.jwk import JWK
from sd_jwt.common import SDObj
from sd_jwt.holder import SDJWTHolder
from sd_jwt.issuer import SDJWTIssuer
from sd_jwt.verifier import SDJWTVerifier

from hub.proof.encoding import Json, b64u_decode, parse_object
from hub.proof.jose import SEAL_TYP, jwk
from hub.proof.reasons import ProofError, ProofReason
from hub.proof.records.disclosure import process
from hub.proof.records.sd_jwt import SealedRecord, digests_of_type, present, seal_record
from tests.proof.jose_vectors import VECTORS, check_presentation, private_key, signer
from tests.proof.test_jose_vectors import record_claims, signed_members

CLAIMS = record_claims(VECTORS["record_seal"]["claims"])
SEAL_SIGNER = signer("seal", tuple(VECTORS["record_seal"]["header"]["x5c"]))
KEY = private_key("seal")

names = st.from_regex(r"f_[A-Za-z0-9_]{0,20}", fullmatch=True)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
scalars = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
plain_names = st.sampled_from(["mt", "sha256", "名称", "a b"])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain_names, inner, max_size=3),
    max_leaves=6,
)
records = st.dictionaries(names, values, min_size=1, max_size=20)


def theirs(presentation: str) -> Any:
    """What `sd-jwt` reads from a presentation of the seal key."""
    key = JWK.from_json(json.dumps(jwk(KEY.public_key())))
    return SDJWTVerifier(presentation, lambda *_: key).get_verified_payload()


def seal(record: dict[str, Json]) -> SealedRecord:
    """A record sealed with the golden seal key."""
    return seal_record(CLAIMS, record, digests_n=digests_of_type(len(record)), signer=SEAL_SIGNER)


@pytest.mark.parametrize("vector", VECTORS["presentations"], ids=lambda vector: vector["name"])
def test_golden_presentations_read_the_same_elsewhere(vector: dict[str, Any]) -> None:
    """`sd-jwt` reads from a golden presentation what we read."""
    assert theirs(vector["text"]) == vector["claims"]


@settings(max_examples=60, deadline=None)
@given(records, st.data())
def test_ours_verify_in_the_other_implementation(
    record: dict[str, Json], data: st.DataObject
) -> None:
    """Any record, any chosen fields: both implementations read the same payload."""
    shown = data.draw(st.sets(st.sampled_from(sorted(record)), min_size=1))
    sealed = seal(record)
    text = present(sealed.jws, sealed.disclosures, shown)
    expect = {"vct": CLAIMS.vct, "fields": shown, "cert": CLAIMS.cert}
    ours = check_presentation(text, expect)
    assert ours.disclosed == {name: record[name] for name in shown}
    assert theirs(text) == ours.claims
    sd = parse_object(b64u_decode(sealed.jws.split(".")[1]))["_sd"]
    assert isinstance(sd, list)
    assert len(set(map(str, sd))) == digests_of_type(len(record))


@settings(max_examples=30, deadline=None)
@given(records)
def test_theirs_are_processed_by_us(record: dict[str, Json]) -> None:
    """Nested objects, array elements and decoys of the other implementation read the same."""
    claims: dict[Any, Any] = {
        "iss": "https://issuer.example",
        SDObj("address"): {SDObj("street"): "示例路1号", "city": "杭州", SDObj("more"): record},
        "kinds": [SDObj("a"), "b", SDObj({SDObj("c"): 1})],
        **{SDObj(name): value for name, value in record.items()},
    }
    key = JWK.from_json(
        json.dumps(jwk(KEY.public_key()) | {"d": VECTORS["keys"]["seal"]["jwk"]["d"]})
    )
    issued = SDJWTIssuer(claims, key, add_decoy_claims=True).sd_jwt_issuance
    compact, *disclosures = issued.split("~")[:-1]
    payload = parse_object(b64u_decode(compact.split(".")[1]))
    assert process(payload, disclosures) == theirs(issued)
    holder = SDJWTHolder(issued)
    holder.create_presentation({"address": {"street": True}, "kinds": [False, True, True]})
    compact, *disclosures = holder.sd_jwt_presentation.split("~")[:-1]
    assert process(payload, disclosures) == theirs(holder.sd_jwt_presentation)


def test_child_of_a_hidden_parent_is_unreferenced() -> None:
    """A disclosure that nothing disclosed leads to is refused by the general algorithm."""
    key = JWK.from_json(
        json.dumps(jwk(KEY.public_key()) | {"d": VECTORS["keys"]["seal"]["jwk"]["d"]})
    )
    issued = SDJWTIssuer({SDObj("a"): {SDObj("b"): 1}}, key).sd_jwt_issuance
    compact, *disclosures = issued.split("~")[:-1]
    payload = parse_object(b64u_decode(compact.split(".")[1]))
    child = [item for item in disclosures if json.loads(_decode(item))[1] == "b"]
    with pytest.raises(ProofError) as caught:
        process(payload, child)
    assert caught.value.reason is ProofReason.DISCLOSURE_UNREFERENCED


@pytest.mark.parametrize(("key", "member"), signed_members())
def test_signatures_verify_in_two_other_libraries(key: str, member: dict[str, Any]) -> None:
    """What we sign, PyJWT and joserfc accept, with the same claims."""
    compact = signer(key, tuple(member["header"].get("x5c", ()))).compact(
        member["header"]["typ"], json.dumps(member["claims"]).encode()
    )
    public = private_key(key).public_key()
    unchecked = {"verify_aud": False, "verify_exp": False, "verify_iat": False}
    assert jwt.decode(compact, public, ["ES256"], options=unchecked) == member["claims"]
    registry = joserfc_jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = 8192
    opened = joserfc_jws.deserialize_compact(
        compact, ECKey.import_key(jwk(public)), registry=registry
    )
    assert json.loads(opened.payload) == member["claims"]


def test_same_names_give_the_same_bytes_and_salts_are_fresh() -> None:
    """A repeated answer has identical bytes; a second seal of the same values shares no digest."""
    record: dict[str, Json] = {"name": "杭州示例乙有限公司", "scope": None, "docs": []}
    first, second = seal(record), seal(record)
    shown = present(first.jws, first.disclosures, ["scope", "name"])
    assert shown == present(first.jws, first.disclosures, ["name", "scope"])
    assert not {item.text for item in first.disclosures} & {
        item.text for item in second.disclosures
    }
    assert parse_object(b64u_decode(first.jws.split(".")[0]))["typ"] == SEAL_TYP


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
