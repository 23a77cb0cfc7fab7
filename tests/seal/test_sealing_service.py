"""Keys in a sealing service: what it answers is verified before it is used, whatever it answers."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse

from certs.keys import new_key
from hub.domain.certificate import Custody
from hub.domain.seal_key import FORMATS, KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, b64u_decode, digest
from hub.seal.algorithms import Subject
from hub.seal.homes.service import ANSWER_BYTES_MAX, ServiceAddress, ServiceHome, ServiceKey
from hub.seal.keys import header_segment
from tests.seal.mandates import Mandates
from tests.sealing_service import SealingService
from tests.simulator import Simulator, by_identifier, copy_home, licence, unencrypted

SUBJECT = Subject("章", "局", "91330100MADEM0022M")
CHAIN = (b"leaf", b"issuer")
WRONG, AWAY = Reason.SEALING_SERVICE_WRONG, Reason.SEALING_SERVICE_UNAVAILABLE


@pytest.fixture
def service() -> Iterator[SealingService]:
    service = SealingService()
    with service.serving():
        yield service


def home_at(service: SealingService, timeout_s: float = 10.0) -> ServiceHome:
    place = ServiceAddress(service.url, None, None, None, timeout_s)
    return ServiceHome(place, "service-province", Custody.HUB_FILE)


def key_in(home: ServiceHome, algorithm: KeyAlgorithm = KeyAlgorithm.SM2) -> ServiceKey:
    made = home.create(algorithm, KeyUse.RECORD, SUBJECT)
    return home.open(made.public.kid, algorithm, KeyUse.RECORD, CHAIN)


def sign(key: ServiceKey, text: str = "e30") -> bytes:
    return key.sign(f"{header_segment(key)}.{text}".encode(), FORMATS[KeyUse.RECORD])


def changed(**members: Any) -> Callable[[Any], Response]:
    return lambda answer: JSONResponse({**answer, **members})


def _flipped(answer: Any) -> Response:
    octets = bytearray(b64u_decode(answer["signature"]))
    octets[7] ^= 1
    return JSONResponse({**answer, "signature": b64u(bytes(octets))})


def _drip(_answer: Any) -> Response:
    def parts() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 5000
            time.sleep(0.2)

    return StreamingResponse(parts())


@pytest.mark.parametrize(
    ("lie", "reason", "rule"),
    [
        (_flipped, WRONG, "not this key's over these bytes"),
        (changed(signature=b64u(bytes(64))), WRONG, "not this key's over these bytes"),
        (changed(signature="!"), WRONG, "cannot be read"),
        (changed(signature=7), WRONG, "cannot be read"),
        (changed(digest=digest(b"other")), WRONG, "another digest"),
        (changed(request_id="replayed"), WRONG, "another request_id"),
        (changed(key_id="x" * 43), WRONG, "another key_id"),
        (changed(x509_chain=[b64u(b"other")]), WRONG, "another chain"),
        (changed(x509_chain=None), WRONG, "another chain"),
        (lambda _: Response(b"{}"), WRONG, "another request_id"),
        (changed(request_id=None), WRONG, "another request_id"),
        (lambda _: Response(b"[]"), WRONG, "cannot be read"),
        (lambda _: Response(b'{"a":1,"a":2}'), WRONG, "cannot be read"),
        (lambda _: Response(b"x" * (ANSWER_BYTES_MAX + 1)), WRONG, "too large"),
        (lambda _: RedirectResponse("http://127.0.0.1:1/"), WRONG, "a redirect"),
        (lambda _: JSONResponse({"error": "<b>"}, 403), WRONG, "status 403 without a reason"),
        (
            lambda _: JSONResponse({"error": "INTENT_UNKNOWN"}, 403),
            Reason.SEALING_SERVICE_REFUSED,
            "INTENT_UNKNOWN",
        ),
        (lambda _: Response(status_code=503), AWAY, "status 503"),
        (lambda _: Response(status_code=429), AWAY, "status 429"),
    ],
)
def test_a_service_that_lies_is_refused(
    service: SealingService, lie: Callable[[Any], Response], reason: Reason, rule: str
) -> None:
    """Each lie with its rule, and nothing of its answer is used; honest again, it is believed."""
    key = key_in(home_at(service))
    service.lie = lie

    with pytest.raises(HubError) as caught:
        sign(key)

    assert caught.value.reason is reason
    assert rule in caught.value.details["rule"]
    assert service.signed == 1
    service.lie = None
    assert len(sign(key)) == 64


def test_an_answer_to_another_request_is_not_believed(service: SealingService) -> None:
    """A true signature of this key, made for other bytes a moment ago."""
    key = key_in(home_at(service))
    sign(key, "e31")
    first = list(service.answers.values())[-1][1]

    def replay(answer: Any) -> Response:
        return JSONResponse({**answer, "signature": first["signature"]})

    service.lie = replay
    with pytest.raises(HubError) as caught:
        sign(key)

    assert caught.value.details["rule"] == "the signature is not this key's over these bytes"


def test_a_signature_of_the_upper_half_is_turned_into_the_lower(service: SealingService) -> None:
    """Both verify, and verifiers of record seals refuse the upper one."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    key = key_in(home_at(service), KeyAlgorithm.ES256)

    def upper(answer: Any) -> Response:
        octets = b64u_decode(answer["signature"])
        high = order - int.from_bytes(octets[32:])
        return JSONResponse({**answer, "signature": b64u(octets[:32] + high.to_bytes(32))})

    service.lie = upper

    assert int.from_bytes(sign(key)[32:]) <= order // 2


def test_another_key_than_the_one_asked_for_is_refused(service: SealingService) -> None:
    """Found when it is opened, before anything is composed for it; signatures of it are too."""
    home = home_at(service)
    key, other = key_in(home), key_in(home)
    mine = service.keys[key.kid]
    service.keys[key.kid] = service.keys[other.kid]

    for attempt in (
        lambda: home.open(key.kid, KeyAlgorithm.SM2, KeyUse.RECORD, CHAIN),
        lambda: sign(key),
    ):
        with pytest.raises(HubError) as caught:
            attempt()
        assert caught.value.reason is WRONG
    service.keys[key.kid] = mine
    assert len(sign(key)) == 64


def test_a_slow_service_ends_at_its_time(service: SealingService) -> None:
    """Silent, or one byte after another: the whole exchange has a time, and one repetition."""
    key = key_in(home_at(service, timeout_s=0.4))
    service.lie = _drip
    begun = time.monotonic()

    with pytest.raises(HubError) as caught:
        sign(key)

    assert caught.value.reason is AWAY
    assert time.monotonic() - begun < 5


def test_an_order_makes_one_key_however_often_it_comes(service: SealingService) -> None:
    """Whoever was interrupted asks again under the same id, naming the officers' intent."""
    home, mandates = home_at(service), Mandates()
    order = mandates.order(home.name, KeyAlgorithm.SM2, KeyUse.RECORD, SUBJECT)

    made = [home.create(KeyAlgorithm.SM2, KeyUse.RECORD, SUBJECT, order) for _ in range(2)]
    other = mandates.make(home, KeyAlgorithm.SM2, KeyUse.RECORD, SUBJECT)

    assert made[0] == made[1] != other
    assert home.health().count == 2
    assert service.ordered[0] == service.ordered[1]
    assert service.ordered[0]["intent"] == digest(order.mandate.intent)


def test_a_lost_answer_is_asked_for_again_and_signed_once(service: SealingService) -> None:
    """The service was stopped between signature and answer: same id, same signature."""
    key = key_in(home_at(service))
    lost = [True]

    def lose_once(answer: Any) -> Response:
        return Response(status_code=500) if lost.pop() else JSONResponse(answer)

    lost[:] = [False, True]
    service.lie = lose_once
    signature = sign(key)

    assert service.signed == 1
    assert len({asked["request_id"] for asked in service.asked}) == 1
    assert len(service.asked) == 2
    assert len(signature) == 64


def test_nobody_there_is_unavailable() -> None:
    """With the home's name, and no address."""
    home = home_at(SealingService(url="http://127.0.0.1:1"))

    with pytest.raises(HubError) as caught:
        home.health()

    assert (caught.value.reason, caught.value.details["home"]) == (AWAY, "service-province")


@pytest.mark.parametrize(
    ("use", "algorithm"),
    [
        (KeyUse.OFD, KeyAlgorithm.SM2),
        (KeyUse.PDF, KeyAlgorithm.PS256),
        (KeyUse.FACE, KeyAlgorithm.ES256),
        (KeyUse.MAKER, KeyAlgorithm.SM2),
    ],
)
def test_documents_codes_and_seals_name_the_intent_that_allows_them(
    service: SealingService, use: KeyUse, algorithm: KeyAlgorithm
) -> None:
    """The service is told the exact bytes, their format and the digest of the intent."""
    home, mandates = home_at(service), Mandates()
    public = home.create(algorithm, use, SUBJECT).public
    key = home.open(public.kid, algorithm, use, (mandates.certificate(public),))
    match use:
        case KeyUse.MAKER:
            seal = mandates.seal(key)
            mandate, data = seal.mandate, seal.info
            key.sign_seal(seal)
        case KeyUse.FACE:
            code = mandates.code(key)
            mandate, data = code.mandate, code.to_sign
            key.sign_face_code(code)
        case _:
            work = mandates.document(key)
            mandate, data = work.mandate, work.document.to_sign
            key.sign_document(work)

    (asked,) = service.asked
    assert asked["intent"] == digest(mandate.intent)
    assert (asked["format"], b64u_decode(asked["bytes"])) == (FORMATS[use], data)


async def test_records_are_sealed_through_a_service(city: Path, tmp_path: Path) -> None:
    """A real hub, over TLS with its client certificate: the key rotates into the service, which is
    told the intent; without the certificate it is not reached."""
    home = copy_home(city, tmp_path / "home")
    pki, now = Simulator(home).pki, datetime.now(UTC)
    server, client = new_key(), new_key()
    chains = {
        "server": (server, pki.issue("hub-server", server.public_key(), now=now,
                                     common_name="service", dns_names=["localhost"])),
        "client": (client, pki.issue("system-client", client.public_key(), now=now,
                                     common_name="hub")),
    }  # fmt: skip
    for name, (key, issued) in chains.items():
        (home / f"{name}.key").touch(mode=0o600)
        (home / f"{name}.key").write_bytes(unencrypted(key))
        (home / f"{name}.pem").write_bytes(issued.chain_pem)
    (home / "ca.pem").write_bytes(pki.tls_anchor_pem)
    service = SealingService()
    with service.serving(home / "server.pem", home / "server.key", home / "ca.pem"):
        with (home / "hub.toml").open("a") as file:
            file.write(
                f'[[seal.service]]\nname = "province"\nurl = "{service.url}"\nca = "ca.pem"\n'
                'certificate = "client.pem"\nkey = "client.key"\n'
            )
        async with Simulator(home) as hub:
            members = {
                "seal": "authorities/hz-market/seals/main",
                "use": "record",
                "algorithm": "ES256",
                "home": "service-province",
            }
            made = await hub.officer().carry_out("key.generate", members)
            chain = hub.chain_for(made)
            await hub.officer().carry_out("key.rotate", {"key": made["key"], "x509_chain": chain})
            delivered = await hub.connector().deliver([licence(901)])

            fetched = await hub.platform().fetch(by_identifier(delivered.results[0].identifier))
            assert fetched.states == ["active"]
            assert service.signed == 1
            assert len(service.asked[0]["intent"]) == 43
            known = hub.hub.seals.keys.homes["service-province"]
            assert isinstance(known, ServiceHome)
        stranger = ServiceHome(
            dataclasses.replace(known.place, certificate=None, key=None), "x", Custody.HUB_FILE
        )
        with pytest.raises(HubError) as caught:
            await asyncio.to_thread(stranger.health)
        assert caught.value.reason is AWAY
