"""Signed requests that say something else, are signed by somebody else, or come too late."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from certs.keys import new_key
from hub.proof.encoding import b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.exchange.request import RequestClaims, sign_request
from hub.proof.jose import BATCH_ROOT_TYP, REQUEST_TYP, LogHead, Signer, es256_signer, sign_jws
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofReason
from tests.attacks.refusals import refused
from tests.simulator import (
    ASKED,
    FETCH,
    GRANTED,
    ITEM,
    LICENCE,
    LICENCE_VCT,
    ORIGIN,
    Platform,
    Simulator,
    by_holder,
    company,
    new_id,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ME = "systems/window-1"


def _text(reason: str) -> str:
    said = TEXTS[ProofReason(reason)].en
    return (
        f"the signed request is refused ({reason}): {said} "
        "Sign a new one under the same request id."
    )


async def _refused_as(hub: Simulator, compact: str, jti: str, reason: str) -> None:
    refusal = await refused(
        hub,
        hub.platform().send(compact, jti),
        status="INVALID_ARGUMENT",
        reason="REQUEST_INVALID",
        en=_text(reason),
        caller=ME,
    )
    assert refusal.details["rule"] == reason


# ---- claims ----

NOW = int(time.time())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "hub.other.example"}, "AUD_WRONG"),
        ({"region": "110000"}, "REGION_WRONG"),
        ({"rpc": "/hub.exchange.v1.ExchangeService/PlanCertificates"}, "RPC_WRONG"),
        ({"rpc": FETCH.removeprefix("/")}, "RPC_WRONG"),
        ({"iss": "systems/window-2"}, "ISS_MISMATCH"),
        ({"ath": digest("another token")}, "ATH_MISMATCH"),
        ({"iat": NOW - 300, "exp": NOW - 180}, "EXPIRED"),
        ({"iat": NOW - 100, "exp": NOW + 3600}, "EXP_TOO_FAR"),
        ({"iat": NOW + 3600, "exp": NOW + 3700}, "IAT_FUTURE"),
        ({"jti": str(uuid.uuid4()).upper()}, "CLAIM_INVALID"),
        ({"matter": ""}, "CLAIM_INVALID"),
        ({"certificates": ()}, "CERTIFICATES_COUNT"),
        ({"certificates": (by_holder(company(1)),) * 21}, "CERTIFICATES_COUNT"),
        ({"certificates": (by_holder(company(1), ()),)}, "FIELDS_EMPTY"),
        ({"certificates": (by_holder(company(1), ("name", "name")),)}, "FIELDS_DUPLICATE"),
        ({"via": (ORIGIN,), "fwd": "e30.e30.e30"}, "VIA_INVALID"),
        ({"log": LogHead(ORIGIN, 0, digest("root"))}, "CLAIM_INVALID"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
async def test_a_request_that_does_not_say_what_it_must_is_refused(
    hub: Simulator, changes: dict[str, Any], reason: str
) -> None:
    """For another hub, another method, another caller, another token, another time."""
    platform = hub.platform()
    claims = await platform.claims(**changes)

    await _refused_as(hub, sign_request(claims, platform.signer), claims.jti, reason)


# ---- bytes ----


def _payload(platform: Platform, claims: RequestClaims) -> bytes:
    return b64u_decode(sign_request(claims, platform.signer).split(".")[1])


def _duplicate_claim(payload: bytes, signer: Signer) -> str:
    twice = payload.replace(b'"aud":', b'"aud":"hub.other.example","aud":', 1)
    return signer.compact(REQUEST_TYP, twice)


def _duplicate_nested(payload: bytes, signer: Signer) -> str:
    twice = payload.replace(b'"vct":', b'"vct":"https://x.example/vct/x","vct":', 1)
    return signer.compact(REQUEST_TYP, twice)


def _padded_signature(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload) + "=="


def _padded_payload(payload: bytes, signer: Signer) -> str:
    """Signed with its padding, so the signature itself is right."""
    header = signer.compact(REQUEST_TYP, b"{}").split(".")[0]
    text = f"{header}.{b64u(payload + b' ')}="
    return f"{text}.{b64u(signer.sign(text.encode()))}"


def _standard_alphabet(payload: bytes, signer: Signer) -> str:
    header, body, signature = signer.compact(REQUEST_TYP, payload).split(".")
    return f"{header}.{body}.{'+' + signature[1:]}"


def _loose_bits(payload: bytes, signer: Signer) -> str:
    """The last character of 64 bytes carries four unused bits; decoders that ignore them agree."""
    compact = signer.compact(REQUEST_TYP, payload)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return compact[:-1] + alphabet[alphabet.index(compact[-1]) | 1]


def _unknown_claim(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload.replace(b"{", b'{"nbf":1,', 1))


def _missing_claim(payload: bytes, signer: Signer) -> str:
    claims = parse_object(payload)
    del claims["clerk"]
    return signer.compact(REQUEST_TYP, emit_json(claims))


def _future_version(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload.replace(b'"v":1', b'"v":2', 1))


def _null_consent(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, emit_json({**parse_object(payload), "consent": None}))


def _truncated(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload[:-1])


def _two_segments(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload).rpartition(".")[0]


def _alg_none(payload: bytes, signer: Signer) -> str:
    header = {"alg": "none", "typ": REQUEST_TYP, "kid": signer.kid}
    return f"{b64u(emit_json(dict(header)))}.{b64u(payload)}.{b64u(b'x')}"


def _hs256(payload: bytes, signer: Signer) -> str:
    header = {"alg": "HS256", "typ": REQUEST_TYP, "kid": signer.kid}
    return sign_jws(dict(header), payload, signer.sign)


def _critical_header(payload: bytes, signer: Signer) -> str:
    header = {"alg": "ES256", "typ": REQUEST_TYP, "kid": signer.kid, "crit": ["b64"], "b64": False}
    return sign_jws(dict(header), payload, signer.sign)


def _no_typ(payload: bytes, signer: Signer) -> str:
    return sign_jws({"alg": "ES256", "kid": signer.kid}, payload, signer.sign)


def _as_batch_root(payload: bytes, signer: Signer) -> str:
    return signer.compact(BATCH_ROOT_TYP, payload)


def _key_nobody_knows(payload: bytes, signer: Signer) -> str:
    return es256_signer(new_key()).compact(REQUEST_TYP, payload)


def _key_of_nobody_under_my_kid(payload: bytes, signer: Signer) -> str:
    stranger = es256_signer(new_key())
    return dataclasses.replace(stranger, kid=signer.kid).compact(REQUEST_TYP, payload)


def _altered_after_signing(payload: bytes, signer: Signer) -> str:
    header, _, signature = signer.compact(REQUEST_TYP, payload).split(".")
    return f"{header}.{b64u(payload.replace(b'name', b'capital', 1))}.{signature}"


def _too_large(payload: bytes, signer: Signer) -> str:
    return signer.compact(REQUEST_TYP, payload + b" " * 60_000)


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (_duplicate_claim, "JSON_DUPLICATE_MEMBER"),
        (_duplicate_nested, "JSON_DUPLICATE_MEMBER"),
        (_padded_signature, "BASE64_ALPHABET"),
        (_padded_payload, "BASE64_ALPHABET"),
        (_standard_alphabet, "BASE64_ALPHABET"),
        (_loose_bits, "BASE64_NON_CANONICAL"),
        (_unknown_claim, "CLAIM_UNKNOWN"),
        (_missing_claim, "CLAIM_MISSING"),
        (_future_version, "FORMAT_VERSION"),
        (_null_consent, "CLAIM_INVALID"),
        (_truncated, "JSON_MALFORMED"),
        (_two_segments, "JWS_MALFORMED"),
        (_alg_none, "ALG_MISMATCH"),
        (_hs256, "ALG_MISMATCH"),
        (_critical_header, "HEADER_MEMBER"),
        (_no_typ, "TYP_MISSING"),
        (_as_batch_root, "TYP_WRONG"),
        (_key_nobody_knows, "KEY_UNKNOWN"),
        (_key_of_nobody_under_my_kid, "SIGNATURE_INVALID"),
        (_altered_after_signing, "SIGNATURE_INVALID"),
        (_too_large, "TOO_LARGE"),
    ],
)
async def test_bytes_that_a_lenient_parser_would_take_are_refused(
    hub: Simulator, forge: Callable[[bytes, Signer], str], reason: str
) -> None:
    """Duplicates, padding, other algorithms, other keys, other types: each with its own reason."""
    platform = hub.platform()
    claims = await platform.claims()

    compact = forge(_payload(platform, claims), platform.signer)

    await _refused_as(hub, compact, claims.jti, reason)


async def test_a_request_signed_with_the_key_of_another_system_is_refused(hub: Simulator) -> None:
    """Both keys are enrolled and the claims are mine; only the owner of the key is not."""
    platform, other = hub.platform(), hub.platform("window-2")
    claims = await platform.claims()

    await _refused_as(hub, sign_request(claims, other.signer), claims.jti, "ISS_MISMATCH")


async def test_a_key_that_signs_batches_signs_no_requests(hub: Simulator) -> None:
    """One key, one format: a connector's key under the claims of a platform."""
    platform, connector = hub.platform(), hub.connector()
    claims = await platform.claims()

    await _refused_as(hub, sign_request(claims, connector.signer), claims.jti, "KEY_USAGE")


async def test_another_systems_genuine_request_is_refused(hub: Simulator) -> None:
    """window-2 intercepted a request of window-1 and sends it over its own connection."""
    victim, thief = hub.platform("window-1"), hub.platform("window-2")
    claims = await victim.claims()

    refusal = await refused(
        hub,
        thief.send(sign_request(claims, victim.signer), claims.jti),
        status="INVALID_ARGUMENT",
        reason="REQUEST_INVALID",
        en=_text("ATH_MISMATCH"),
        caller="systems/window-2",
    )

    assert refusal.details["rule"] == "ATH_MISMATCH"


async def test_the_envelopes_id_must_be_the_signed_one(hub: Simulator) -> None:
    """Otherwise an answer could be filed under an id that nobody signed."""
    platform = hub.platform()
    claims = await platform.claims()

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), new_id()),
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        en="request_id is invalid: equals the claim jti. "
        "Correct the field and send the request again.",
        caller=ME,
    )


async def test_a_forwarded_request_is_not_served(hub: Simulator) -> None:
    """Whom another hub speaks for cannot be checked here, so it is nobody."""
    platform = hub.platform()
    inner = sign_request(await platform.claims(aud="hub.other.example"), platform.signer)
    claims = await platform.claims(fwd=inner, via=("hub.other.example",))

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="INVALID_ARGUMENT",
        reason="FORWARD_NOT_SERVED",
        en="this hub serves no request forwarded by another hub; "
        "send it signed by your own system.",
        caller=ME,
    )


# ---- rights ----


async def test_one_field_too_many_refuses_the_whole_call(hub: Simulator) -> None:
    """Nothing of it is disclosed, not even what is granted."""
    platform = hub.platform()
    claims = await platform.claims(
        certificates=(
            by_holder(company(1)),
            by_holder(company(2), (*ASKED, "capital", "establish_date")),
        )
    )

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="PERMISSION_DENIED",
        reason="FIELD_NOT_GRANTED",
        en=f"no grant for type {LICENCE} and the service item {ITEM} covers: capital, "
        "establish_date. Ask without them under a new request id; nothing was disclosed.",
        caller=ME,
        kind="fetch",
    )


@pytest.mark.parametrize(
    ("changes", "type_code", "item"),
    [
        ({"service_item": "999999999999"}, LICENCE, "999999999999"),
        (
            {"certificates": (by_holder(company(1), vct=f"https://{ORIGIN}/vct/NONE"),)},
            "NONE",
            ITEM,
        ),
        (
            {"certificates": (by_holder(company(1), ("name",), vct=LICENCE_VCT[:-1] + "2"),)},
            LICENCE[:-1] + "2",
            ITEM,
        ),
    ],
    ids=["service item", "unknown type", "other type"],
)
async def test_what_no_grant_names_is_not_granted(
    hub: Simulator, changes: dict[str, Any], type_code: str, item: str
) -> None:
    """Deny by default: another service item, an unknown type, a type granted to nobody."""
    platform = hub.platform()
    claims = await platform.claims(**changes)

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="PERMISSION_DENIED",
        reason="GRANT_MISSING",
        en=f"no grant in force gives you certificates of type {type_code} for the service item "
        f"{item}; apply to the authority that defines the type.",
        caller=ME,
        kind="fetch",
    )


async def test_a_system_without_a_grant_is_told_so_whether_or_not_the_holder_exists(
    hub: Simulator,
) -> None:
    """The same words about a company on file and one that nobody knows."""
    platform = hub.platform("window-2")
    for holder in (company(1), company(99)):
        claims = await platform.claims(certificates=(by_holder(holder),))
        await refused(
            hub,
            platform.send(sign_request(claims, platform.signer), claims.jti),
            status="PERMISSION_DENIED",
            reason="GRANT_MISSING",
            en=f"no grant in force gives you certificates of type {LICENCE} for the service item "
            f"{ITEM}; apply to the authority that defines the type.",
            caller="systems/window-2",
            kind="fetch",
        )


@pytest.mark.parametrize("vct", [f"http://{ORIGIN}/vct/{LICENCE}", f"https://x/vct/{LICENCE}"])
async def test_a_type_of_another_hub_is_not_ours_because_its_code_is(
    hub: Simulator, vct: str
) -> None:
    """The whole `vct` is the type's name, not its last segment."""
    platform = hub.platform()

    claims = await platform.claims(certificates=(by_holder(company(1), vct=vct),))
    data = await platform.send_raw(sign_request(claims, platform.signer), claims.jti)

    assert platform.verify(data, claims.jti).states == ["absent"]


# ---- the log that was seen ----


async def test_a_client_that_saw_more_than_the_hub_has_is_answered_nothing(
    hub: Simulator,
) -> None:
    """Somebody turned the hub back: the proof is worth keeping, and the hub says so."""
    platform = hub.platform()
    size = hub.size
    claims = await platform.claims(log=LogHead(ORIGIN, size + 7, digest("root")))

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="FAILED_PRECONDITION",
        reason="LOG_SEEN_AHEAD",
        en=f"you saw this log with {size + 7} entries and it has {size}: "
        "keep the proof and report it.",
        caller=ME,
    )


async def test_a_head_of_another_log_is_refused(hub: Simulator) -> None:
    """No consistency can be shown from a log that is not this one."""
    platform = hub.platform()
    claims = await platform.claims(log=LogHead("hub.other.example", 1, digest("root")))

    await refused(
        hub,
        platform.send(sign_request(claims, platform.signer), claims.jti),
        status="INVALID_ARGUMENT",
        reason="FIELD_INVALID",
        en=f"log is invalid: is a head of {ORIGIN}. Correct the field and send the request again.",
        caller=ME,
    )


# ---- the same request again ----


def _mirror(compact: str) -> str:
    """(r, n−s) signs the same text as (r, s)."""
    head, _, signature = compact.rpartition(".")
    raw = b64u_decode(signature)
    return f"{head}.{b64u(raw[:32] + (P256_N - int.from_bytes(raw[32:])).to_bytes(32))}"


async def test_the_mirrored_signature_gets_the_first_answer_and_no_entry(hub: Simulator) -> None:
    """Malleability makes another text, never another exchange."""
    platform = hub.platform()
    claims = await platform.claims()
    compact = sign_request(claims, platform.signer)
    first = await platform.send_raw(compact, claims.jti)
    before = await hub.state()

    again = await platform.send_raw(_mirror(compact), claims.jti)

    assert _mirror(compact) != compact
    assert again == first
    assert await hub.state() == before
    assert platform.verify(again, claims.jti).states == ["active"]


async def test_the_same_bytes_and_a_fresh_signature_get_identical_bytes(hub: Simulator) -> None:
    """A retry sees the first answer with the original receipt, and adds nothing."""
    platform = hub.platform()
    claims = await platform.claims()
    first = await platform.send_raw(sign_request(claims, platform.signer), claims.jti)
    before = await hub.state()

    same = await platform.send_raw(sign_request(claims, platform.signer), claims.jti)
    renewed = dataclasses.replace(
        claims,
        iat=claims.iat - 1,
        exp=claims.exp - 1,
        ath=digest(await platform.new_token()),
        log=LogHead(ORIGIN, hub.size, hub.hub.recorder.head().root),
    )
    fresh = await platform.send_raw(sign_request(renewed, platform.signer), claims.jti)

    assert same == fresh == first
    assert await hub.state() == before


async def test_concurrent_duplicates_of_one_request_make_one_entry(hub: Simulator) -> None:
    """Twenty at once: one exchange, twenty identical answers."""
    platform = hub.platform()
    claims = await platform.claims()
    compact = sign_request(claims, platform.signer)
    size = hub.size

    answers = await asyncio.gather(*(platform.send_raw(compact, claims.jti) for _ in range(20)))

    assert len(set(answers)) == 1
    assert hub.size == size + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"matter": "another"},
        {"certificates": (by_holder(company(2)),)},
        {"certificates": (by_holder(company(1), ("name",)),)},
        {"basis": "another"},
        {"clerk": "clerks/8"},
    ],
    ids=lambda changes: next(iter(changes)),
)
async def test_an_id_that_was_used_for_something_else_is_refused(
    hub: Simulator, changes: dict[str, Any]
) -> None:
    """One id, one content: the second is not answered from the first, nor beside it."""
    platform = hub.platform()
    claims = await platform.claims()
    await platform.send_raw(sign_request(claims, platform.signer), claims.jti)

    other = dataclasses.replace(claims, **changes)

    await refused(
        hub,
        platform.send(sign_request(other, platform.signer), claims.jti),
        status="ALREADY_EXISTS",
        reason="REQUEST_ID_REUSED",
        en=f"request id {claims.jti} was used before with other content; use a new id.",
        caller=ME,
    )


async def test_two_systems_may_use_the_same_id(hub: Simulator) -> None:
    """The key is (system, id): nobody can occupy another's ids."""
    one, other = hub.platform("window-1"), hub.platform("window-2")
    claims = await one.claims()
    await one.send_raw(sign_request(claims, one.signer), claims.jti)
    theirs = await other.claims(jti=claims.jti)

    await refused(
        hub,
        other.send(sign_request(theirs, other.signer), theirs.jti),
        status="PERMISSION_DENIED",
        reason="GRANT_MISSING",
        en=f"no grant in force gives you certificates of type {LICENCE} for the service item "
        f"{ITEM}; apply to the authority that defines the type.",
        caller="systems/window-2",
        kind="fetch",
    )


async def test_a_grant_of_all_fields_is_what_the_refusals_above_lack(hub: Simulator) -> None:
    """The same request with granted fields is answered."""
    fetched = await hub.platform().fetch(holder=company(1), fields=GRANTED)

    assert fetched.states == ["active"]
    assert set(fetched.fields()) == {*GRANTED, "holder_type", "holder_number"}
