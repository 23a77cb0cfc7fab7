"""Whose token counts, on which connection, until when."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from hub.access import tokens as tokens_module
from hub.access.systems import revoke_system, rotate_system_keys
from hub.domain.caller import Role
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode, digest
from hub.proof.jose import es256_sign
from tests.access.conftest import ORIGIN, REGION, Register
from tests.access.members import Member, new_key


@contextmanager
def refused(reason: Reason) -> Iterator[None]:
    with pytest.raises(HubError) as caught:
        yield
    assert caught.value.reason is reason, caught.value


def resigned(register: Register, token: str, **changes: object) -> str:
    """The same token with other header members (`alg`, …) or claims, signed by the token key."""
    header, payload, _ = token.split(".")
    claims = {**json.loads(b64u_decode(payload)), **changes}
    return signed(register, b64u_decode(header), json.dumps(claims).encode())


def signed(register: Register, header: bytes, payload: bytes) -> str:
    assert isinstance(register.token_key, ec.EllipticCurvePrivateKey)
    signing_input = f"{b64u(header)}.{b64u(payload)}"
    return f"{signing_input}.{b64u(es256_sign(register.token_key)(signing_input.encode()))}"


async def test_a_token_tells_who_calls(register: Register) -> None:
    """What a caller is told and what is judged agree."""
    member = Member(register.ca)
    system = (await register.enrol("window", member)).resource

    issued = register.tokens.create(member.thumbprint)
    caller = register.tokens.authenticate(issued.access_token, member.thumbprint)

    assert (issued.caller, issued.origin, issued.region) == ("systems/window", ORIGIN, REGION)
    assert issued.expire_time_us == register.clock() + 600 * 1_000_000
    assert (caller.name, caller.role) == ("systems/window", Role.PLATFORM)
    assert caller.authority == "authorities/market"
    assert caller.authority_uscc == register.directory.authority("authorities/market").uscc
    assert caller.enrolment_entry == system.enrolment_entry
    assert caller.token_digest == digest(issued.access_token)
    assert caller.generation == register.directory.current.version


async def test_a_token_verifies_with_another_library(register: Register) -> None:
    """The token is an ordinary JWT bound as RFC 8705 says."""
    assert isinstance(register.token_key, ec.EllipticCurvePrivateKey)
    claims = jwt.decode(
        register.token(register.officer),
        register.token_key.public_key(),
        algorithms=["ES256"],
        audience=ORIGIN,
        options={"verify_exp": False, "verify_iat": False},
    )

    assert claims["sub"] == "officers/first"
    assert claims["cnf"] == {"x5t#S256": register.officer.thumbprint}


async def test_a_certificate_that_is_not_enrolled_gets_no_token(register: Register) -> None:
    """Coming from a trusted authority is not enough."""
    stranger = Member(register.ca)

    with refused(Reason.PEER_UNKNOWN):
        register.tokens.create(stranger.thumbprint)
    with refused(Reason.PEER_UNKNOWN):
        register.tokens.authenticate(register.token(register.officer), stranger.thumbprint)


async def test_a_call_without_a_token_says_so(register: Register) -> None:
    """A missing token is told from a wrong one."""
    with refused(Reason.TOKEN_MISSING):
        register.tokens.authenticate("", register.officer.thumbprint)


async def test_another_systems_token_is_refused_on_my_connection(register: Register) -> None:
    """A stolen token is useless without its client key, also after its owner used it."""
    victim, thief = Member(register.ca), Member(register.ca)
    await register.enrol("victim", victim)
    await register.enrol("thief", thief)
    token = register.token(victim)
    register.tokens.authenticate(token, victim.thumbprint)

    with refused(Reason.TOKEN_INVALID):
        register.tokens.authenticate(token, thief.thumbprint)


async def test_a_token_ends(register: Register) -> None:
    """At its last second it counts, at its end no more - though it was verified before."""
    token = register.token(register.officer)
    register.tokens.authenticate(token, register.officer.thumbprint)
    register.clock.time_us += 600 * 1_000_000 - 1
    register.tokens.authenticate(token, register.officer.thumbprint)

    register.clock.time_us += 1

    with refused(Reason.TOKEN_EXPIRED):
        register.tokens.authenticate(token, register.officer.thumbprint)


async def test_a_token_ends_with_its_client_certificate(register: Register) -> None:
    """No token outlives the certificate that it is bound to."""
    member = Member(register.ca)
    await register.enrol("window", member)
    end_us = register.directory.system("systems/window").x509_expire_time_us

    register.clock.time_us = end_us - 10 * 1_000_000
    assert register.tokens.create(member.thumbprint).expire_time_us == end_us

    register.clock.time_us = end_us
    with refused(Reason.PEER_UNKNOWN):
        register.tokens.create(member.thumbprint)


def _none(register: Register, token: str) -> str:
    header = {"alg": "none", "typ": "sealway-access+jwt", "kid": register.tokens.key.kid}
    return f"{b64u(json.dumps(header).encode())}.{token.split('.')[1]}."


def _none_with_signature(register: Register, token: str) -> str:
    header = {"alg": "none", "typ": "sealway-access+jwt", "kid": register.tokens.key.kid}
    return ".".join([b64u(json.dumps(header).encode()), *token.split(".")[1:]])


def _hs256(register: Register, token: str) -> str:
    """The public key, which everybody may know, used as an HMAC secret."""
    assert isinstance(register.token_key, ec.EllipticCurvePrivateKey)
    secret = register.token_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = {"alg": "HS256", "typ": "sealway-access+jwt", "kid": register.tokens.key.kid}
    signing_input = f"{b64u(json.dumps(header).encode())}.{token.split('.')[1]}"
    return f"{signing_input}.{b64u(hmac.digest(secret, signing_input.encode(), 'sha256'))}"


def _duplicate_claims(register: Register, token: str) -> str:
    header, payload, _ = (b64u_decode(part) for part in token.split("."))
    return signed(register, header, payload[:-1] + b',"sub":"officers/first"}')


def _padded(_: Register, token: str) -> str:
    return ".".join(
        base64.urlsafe_b64encode(b64u_decode(part)).decode() for part in token.split(".")
    )


def _mirrored(_: Register, token: str) -> str:
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = b64u_decode(token.split(".")[2])
    s = order - int.from_bytes(signature[32:])
    return token.rsplit(".", 1)[0] + "." + b64u(signature[:32] + s.to_bytes(32))


def _own_key(_: Register, token: str) -> str:
    header, payload, _signature = token.split(".")
    return f"{header}.{payload}.{b64u(es256_sign(new_key())(f'{header}.{payload}'.encode()))}"


def _wrong_aud(register: Register, token: str) -> str:
    return resigned(register, token, aud="hub.ningbo.example")


def _wrong_region(register: Register, token: str) -> str:
    return resigned(register, token, region="330200")


def _wrong_issuer(register: Register, token: str) -> str:
    return resigned(register, token, iss="hub.ningbo.example")


def _other_subject(register: Register, token: str) -> str:
    return resigned(register, token, sub="officers/first")


def _too_long_lived(register: Register, token: str) -> str:
    return resigned(register, token, exp=register.clock() // 1_000_000 + 86_400)


def _unknown_claim(register: Register, token: str) -> str:
    return resigned(register, token, role="officer")


def _unbound(register: Register, token: str) -> str:
    return resigned(register, token, cnf={})


def _not_ascii(_: Register, token: str) -> str:
    return token + "证\udc80"


def _too_large(_: Register, token: str) -> str:
    return token + "A" * 4096


@pytest.mark.parametrize(
    "forge",
    [
        _none,
        _none_with_signature,
        _hs256,
        _duplicate_claims,
        _padded,
        _mirrored,
        _own_key,
        _wrong_aud,
        _wrong_region,
        _wrong_issuer,
        _other_subject,
        _too_long_lived,
        _unknown_claim,
        _unbound,
        _not_ascii,
        _too_large,
    ],
)
async def test_a_forged_token_is_refused_without_saying_why(
    register: Register, forge: object
) -> None:
    """Each forgery has the same answer; the genuine token beside it counts before and after."""
    assert callable(forge)
    member = Member(register.ca)
    await register.enrol("window", member)
    token = register.token(member)
    register.tokens.authenticate(token, member.thumbprint)

    with refused(Reason.TOKEN_INVALID) as _:
        register.tokens.authenticate(forge(register, token), member.thumbprint)

    assert register.tokens.authenticate(token, member.thumbprint).name == "systems/window"


async def test_a_revoked_system_is_refused_at_once_on_every_call(register: Register) -> None:
    """Neither its verified token nor its certificate counts when the revocation returns."""
    member = Member(register.ca)
    await register.enrol("window", member)
    token = register.token(member)
    register.tokens.authenticate(token, member.thumbprint)

    await revoke_system(register.registrar, register.call(), "systems/window", "lost machine")

    with refused(Reason.TOKEN_REVOKED):
        register.tokens.authenticate(token, member.thumbprint)
    with refused(Reason.PEER_UNKNOWN):
        register.tokens.create(member.thumbprint)


async def test_a_revocation_ends_the_tokens_of_the_whole_authority(register: Register) -> None:
    """A neighbour of a lost machine asks for a new token, and gets it."""
    lost, neighbour = Member(register.ca), Member(register.ca)
    await register.enrol("lost", lost)
    await register.enrol("neighbour", neighbour)
    token = register.token(neighbour)

    await revoke_system(register.registrar, register.call(), "systems/lost", "lost machine")

    with refused(Reason.TOKEN_REVOKED):
        register.tokens.authenticate(token, neighbour.thumbprint)
    fresh = register.token(neighbour)
    assert register.tokens.authenticate(fresh, neighbour.thumbprint).name == "systems/neighbour"


async def test_the_old_keys_end_with_a_rotation(register: Register) -> None:
    """Old token and old certificate are refused, the new ones count."""
    old, new = Member(register.ca), Member(register.ca)
    await register.enrol("window", old)
    token = register.token(old)

    await rotate_system_keys(register.registrar, register.call(), "systems/window", new.enrolment())

    with refused(Reason.TOKEN_REVOKED):
        register.tokens.authenticate(token, old.thumbprint)
    with refused(Reason.TOKEN_INVALID):
        register.tokens.authenticate(token, new.thumbprint)
    fresh = register.token(new)
    assert register.tokens.authenticate(fresh, new.thumbprint).name == "systems/window"


async def test_verified_tokens_are_bounded(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tokens come, only so many are kept; one that gave way still counts."""
    monkeypatch.setattr(tokens_module, "HELD_MAX", 3)
    tokens = [register.token(register.officer) for _ in range(5)]

    for token in [*tokens, tokens[0]]:
        register.tokens.authenticate(token, register.officer.thumbprint)

    assert len(register.tokens._held) == 3


async def test_a_token_that_was_verified_costs_a_look_up(register: Register) -> None:
    """The second time costs under a tenth of the first time."""
    token, thumbprint = register.token(register.officer), register.officer.thumbprint
    first_s = min(_first_time_s(register, token, thumbprint) for _ in range(5))

    calls = 2_000
    begun = time.perf_counter()
    for _ in range(calls):
        register.tokens.authenticate(token, thumbprint)
    later_s = (time.perf_counter() - begun) / calls

    print(f"first {first_s * 1e9:.0f} ns, later {later_s * 1e9:.0f} ns")
    assert later_s < first_s / 10


def _first_time_s(register: Register, token: str, thumbprint: str) -> float:
    fresh = replace(register.tokens, _held={}, _held_on=None)
    begun = time.perf_counter()
    fresh.authenticate(token, thumbprint)
    return time.perf_counter() - begun


async def test_a_token_is_not_shown(register: Register) -> None:
    """What is printed of an issued token holds no token."""
    issued = register.tokens.create(register.officer.thumbprint)

    assert issued.access_token not in repr(issued)
    assert hashlib.sha256(issued.access_token.encode()).hexdigest() not in repr(register.tokens)
