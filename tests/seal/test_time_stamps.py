"""Time stamps by OpenSSL, asked for over HTTP: what holds is used, whatever else is refused."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from asn1crypto import cms, tsp
from cryptography.hazmat.primitives.serialization import Encoding

from hub.cli.doctor import Mark, examine
from hub.config import load
from hub.errors import HubError, Reason
from hub.home import open_time_stamps
from hub.seal.documents.time_stamps import ANSWER_BYTES_MAX, TimeStampService
from tests.pdf_documents import Ca
from tests.time_stamp_server import POLICY, TimeStampServer, absent, now_us, serving

pytestmark = pytest.mark.skipif(absent(), reason="openssl is not installed")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TimeStampServer]:
    with serving(tmp_path) as started:
        yield started


def service(server: TimeStampServer, **given: object) -> TimeStampService:
    return TimeStampService(
        **{"url": server.url, "anchors": (server.ca.root,), "now_us": now_us, **given}  # type: ignore[arg-type]
    )


def refusal(service: TimeStampService) -> str:
    with pytest.raises(HubError) as refused:
        service.stamp(b"data")
    assert refused.value.reason is Reason.TIME_STAMP_UNAVAILABLE
    return str(refused.value.details["rule"])


def test_a_token_is_over_the_data_and_under_the_policy(server: TimeStampServer) -> None:
    """And it comes whole, with the certificate that signed it."""
    token = cms.ContentInfo.load(service(server, policy=POLICY).stamp(b"data"), strict=True)
    info = token["content"]["encap_content_info"]["content"].parsed

    assert isinstance(info, tsp.TSTInfo)
    assert info["policy"].native == POLICY
    assert abs(info["gen_time"].native.timestamp() - time.time()) < 5
    assert len(token["content"]["certificates"]) == 1


def answering(status: int, kind: str, body: bytes) -> Callable[[TimeStampServer], None]:
    def change(server: TimeStampServer) -> None:
        server.answer = lambda _: (status, kind, body)

    return change


def repeating(server: TimeStampServer) -> None:
    """A replay: the answer to an earlier question about the same data."""
    first = []

    def answer(request: bytes) -> tuple[int, str, bytes]:
        if not first:
            first.append(server.honest(request))
        return first[0]

    server.answer = answer
    service(server).stamp(b"data")


def about_something_else(server: TimeStampServer) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        asked = tsp.TimeStampReq.load(request)
        asked["message_imprint"]["hashed_message"] = bytes(32)
        return server.honest(asked.dump(force=True))

    server.answer = answer


def changed(server: TimeStampServer) -> None:
    def answer(request: bytes) -> tuple[int, str, bytes]:
        status, kind, body = server.honest(request)
        return status, kind, body[:-1] + bytes((body[-1] ^ 1,))

    server.answer = answer


REPLY = "application/timestamp-reply"
FAULTS: dict[str, tuple[Callable[[TimeStampServer], None], str]] = {
    "an error": (answering(503, REPLY, b""), "status 503"),
    "a redirect": (answering(302, REPLY, b""), "status 302"),
    "a page": (answering(200, "text/html", b"<html>"), "no time stamp"),
    "nothing": (answering(200, REPLY, b""), "cannot be read"),
    "garbage": (answering(200, REPLY, b"\x30\x03\x02\x01\x00"), "cannot be read"),
    "a rejection": (answering(200, REPLY, bytes.fromhex("30053003020102")), ""),
    "too much": (answering(200, REPLY, bytes(ANSWER_BYTES_MAX + 1)), "too large"),
    "a replay": (repeating, "Nonce mismatch"),
    "another imprint": (about_something_else, "Mismatch between messages"),
    "a changed signature": (changed, "does not hold"),
    "another root": (lambda s: s.use(Ca("时间戳 CA")), "does not hold"),
}


@pytest.mark.parametrize(("fault", "rule"), FAULTS.values(), ids=FAULTS)
def test_an_answer_that_does_not_hold_is_none(
    server: TimeStampServer, fault: Callable[[TimeStampServer], None], rule: str
) -> None:
    """Whatever is wrong with it, nothing is stamped, and the rule says what."""
    fault(server)

    assert rule in refusal(service(server))


def test_a_certificate_for_other_things_stamps_nothing(server: TimeStampServer) -> None:
    """OpenSSL refuses to stamp with it, or we refuse the stamp."""
    server.use(server.ca, time_stamping=False)

    assert refusal(service(server))


def test_another_policy_is_refused(server: TimeStampServer) -> None:
    """The service does not stamp under a policy that it does not have."""
    assert refusal(service(server, policy="1.2.3.4.9"))


def test_a_service_with_another_clock_is_refused(server: TimeStampServer) -> None:
    """Ten minutes off: its word or ours is wrong, and nothing is sealed on it."""
    assert "clock" in refusal(service(server, now_us=lambda: now_us() - 600_000_000))


def test_a_service_that_is_away_or_hangs_is_unavailable(server: TimeStampServer) -> None:
    """Nobody listens; somebody listens and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        port = mute.getsockname()[1]
        began = time.monotonic()
        hangs = service(server, url=f"http://127.0.0.1:{port}/", timeout_s=0.3)
        assert refusal(hangs) == "ReadTimeout"
        assert time.monotonic() - began < 3
    assert refusal(service(server, url=f"http://127.0.0.1:{port}/")) == "ConnectError"


def configured(server: TimeStampServer, url: str | None = None) -> Path:
    """A configuration that names the server, with its anchor beside it."""
    (server.folder / "tsa.pem").write_bytes(server.ca.root.public_bytes(Encoding.PEM))
    file = server.folder / "hub.toml"
    file.write_text(
        '[hub]\norigin = "hub"\nregion = "330100"\n'
        f'[seal]\ntsa_url = "{server.url if url is None else url}"\n'
        f'tsa_policy = "{POLICY}"\ntsa_anchors = "tsa.pem"\n'
    )
    return file


def test_the_configured_service_is_opened(server: TimeStampServer) -> None:
    """With policy and anchors; without a URL there is none."""
    opened = open_time_stamps(load(configured(server)))

    assert opened is not None
    assert opened.stamp(b"data")
    assert open_time_stamps(load(configured(server, ""))) is None
    config = load(configured(server))
    (server.folder / "tsa.pem").write_text("no PEM")
    with pytest.raises(HubError) as refused:
        open_time_stamps(config)
    assert refused.value.reason is Reason.FILE_UNREADABLE


@pytest.mark.parametrize(
    "url",
    ["http://tsa.example/", "ftp://127.0.0.1/", "http://127.0.0.1.example/", "https://a b/",
     "http://user@127.0.0.1/", "file:///etc/passwd", "https://tsa.example/?x=1"],
)  # fmt: skip
def test_a_service_is_reached_safely_or_not_at_all(server: TimeStampServer, url: str) -> None:
    """https, or this machine."""
    with pytest.raises(HubError) as refused:
        load(configured(server, url))

    assert refused.value.reason is Reason.CONFIG_INVALID
    assert [item.field for item in refused.value.violations] == ["seal.tsa_url"]


def test_doctor_asks_for_a_time_stamp(server: TimeStampServer) -> None:
    """And says what is wrong where none comes."""

    def found() -> list[tuple[Mark, str]]:
        findings = examine(configured(server), None)
        return [(item.mark, item.detail.en) for item in findings if item.check.en == "time stamps"]

    assert found() == [(Mark.GOOD, server.url)]
    server.answer = lambda _: (500, "text/plain", b"")
    assert found() == [(Mark.FAULT, "TIME_STAMP_UNAVAILABLE")]
