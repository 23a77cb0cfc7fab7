"""`sealway exchange fetch` against an honest hub and against ones that cheat."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from certs.keys import new_key
from hub.cli.signed_requests import REQUESTS_MAX
from hub.errors import HubError, Reason
from hub.exchange.v1 import exchange_pb2
from hub.proof.encoding import b64u_decode, digest, parse_object
from hub.proof.reasons import Verdict
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence
from hub.proof.trust import parse_trust
from hub.proof.verify import verify
from tests.cli.conftest import Ran, Sealway
from tests.cli.loopback import CERT, CODE, HOLDER, Answer, Loopback

SECRET = "杭州示例有限公司"


@pytest.fixture
def fetch(hub: Loopback, sealway: Sealway) -> Callable[..., Ran]:
    """Fetches the name of one holder's certificate as `systems/window-1`."""
    profile = hub.profile("system-client", "window-1")

    def call(*more: str | Path, by: tuple[str, ...] = ("--holder", ":".join(HOLDER))) -> Ran:
        return sealway(
            *("exchange", "fetch", *by, "--type", CODE, "--field", "name"),
            *("--item", "331022003000", "--matter", "330100-2026-000017"),
            *("--basis", "行政许可法 第三十一条", "--profile", profile, *more),
        )

    return call


def test_an_honest_answer_is_shown_with_its_custody(fetch: Callable[..., Ran]) -> None:
    """What was granted, whose key sealed it, which entry proves it."""
    ran = fetch()

    assert ran.code == 0, ran.err
    assert SECRET in ran.out
    assert "attested" in ran.out
    assert "entry 0" in ran.out


def test_what_was_stored_verifies_later_and_offline(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """Answer and signed request on disk are all that an auditor needs beside the trust file."""
    file = hub.folder / "answer.json"

    ran = fetch("--out", file, "--json")

    assert ran.code == 0, ran.err
    request = (hub.folder / "answer.json.request.jws").read_text()
    trust = parse_trust((hub.folder / "window-1" / "trust.json").read_bytes())
    evidence = Evidence(now=int(time.time()), requests=(request,), system="systems/window-1")
    report = verify(file.read_bytes(), Kind.ANSWER, trust, evidence)
    failed = [step for step in report.steps if step.verdict is Verdict.INVALID]
    assert not failed
    assert ran.document["verified"]["grade"] == "logged"
    assert file.stat().st_mode & 0o077 == 0


def test_a_request_is_on_disk_before_it_is_sent(hub: Loopback, fetch: Callable[..., Ran]) -> None:
    """A crash after sending must leave the one text that the receipt can be matched with."""
    file = hub.folder / "answer.json"
    seen: list[str] = []
    hub.before_log = lambda answer: seen.append(Path(f"{file}.request.jws").read_text())

    fetch("--out", file)

    assert seen == [hub.calls["FetchCertificates"][0].signed_request]


def test_the_next_request_names_the_kept_head_and_it_moves_on(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """Each fetch extends the chain of heads that this client has seen."""
    head = hub.folder / "window-1" / "log-head.json"

    sizes = []
    for _ in range(3):
        assert fetch().code == 0
        sizes.append(json.loads(head.read_bytes())["size"])

    assert sizes == [1, 2, 3]


def _another_holder(hub: Loopback) -> Callable[[Answer], None]:
    def cheat(answer: Answer) -> None:
        answer.presentations[0] = hub.presentation(holder=("001", "91330100MA27XL0049"))

    return cheat


def _field_too_many(hub: Loopback) -> Callable[[Answer], None]:
    def cheat(answer: Answer) -> None:
        answer.presentations[0] = hub.presentation(("name", "scope"))

    return cheat


def _data_of_a_revoked_one(hub: Loopback) -> Callable[[Answer], None]:
    def cheat(answer: Answer) -> None:
        answer.states[0] = "revoked"

    return cheat


def _nothing_while_in_force(hub: Loopback) -> Callable[[Answer], None]:
    def cheat(answer: Answer) -> None:
        answer.presentations[0] = None

    return cheat


def _sealed_by_a_stranger(hub: Loopback) -> Callable[[Answer], None]:
    def cheat(answer: Answer) -> None:
        hub.seal_key = new_key()
        answer.presentations[0] = hub.presentation()

    return cheat


@pytest.mark.parametrize(
    ("cheat", "reason"),
    [
        (_another_holder, "HOLDER_MISMATCH"),
        (_field_too_many, "FIELD_UNEXPECTED"),
        (_data_of_a_revoked_one, "STATE_DIFFERS"),
        (_nothing_while_in_force, "STATE_DIFFERS"),
        (_sealed_by_a_stranger, "X5C_KEY_MISMATCH"),
    ],
)
def test_a_logged_lie_is_not_shown_and_not_stored(
    hub: Loopback,
    fetch: Callable[..., Ran],
    cheat: Callable[[Loopback], Callable[[Answer], None]],
    reason: str,
) -> None:
    """The log may say what it likes: what was not asked, or not sealed, is not shown."""
    hub.before_log = cheat(hub)
    file = hub.folder / "answer.json"

    ran = fetch("--out", file, "--json")

    assert ran.code == 1
    assert ran.document["error"]["reason"] == reason
    assert SECRET not in ran.out + ran.err
    assert not file.exists()


def test_an_answer_that_differs_from_the_log_is_refused(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """Only the receipt says what was exchanged."""

    def swap(answer: exchange_pb2.FetchCertificatesResponse) -> None:
        answer.certificates[0].presentation = hub.presentation()

    hub.after_log = swap

    ran = fetch("--json")

    assert ran.code == 1
    assert ran.document["error"]["reason"] == "SD_HASH_MISMATCH"


def test_a_log_that_was_rewritten_is_noticed_and_the_head_stays(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """A fork is evidence: the head that was seen first is kept."""
    fetch()
    fetch()
    file = hub.folder / "window-1" / "log-head.json"
    kept = file.read_bytes()
    hub.leaves[0] = bytes(32)

    ran = fetch("--json")

    assert ran.code == 1
    assert ran.document["error"]["reason"] == "CONSISTENCY_MISMATCH"
    assert file.read_bytes() == kept


def test_without_a_pinned_log_key_it_is_cannot_check(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """Nobody's word is not proof: exit 2, nothing shown."""
    file = hub.folder / "window-1" / "trust.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "log_keys": []}))

    ran = fetch("--json")

    assert ran.code == 2
    assert ran.document["error"]["reason"] == "NO_LOG_KEY"
    assert SECRET not in ran.out


def test_absence_is_an_answer(hub: Loopback, fetch: Callable[..., Ran]) -> None:
    """Nothing on file is said, with a receipt, and is no error."""

    def absent(answer: Answer) -> None:
        answer.states[0], answer.presentations[0] = "absent", None

    hub.before_log = absent

    ran = fetch("--json")

    assert ran.code == 0, ran.err
    assert ran.document["certificates"] == [{"state": "absent"}]


def test_a_retry_under_one_token_sends_the_same_bytes(
    hub: Loopback, fetch: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt must match one of few requests, so attempts do not multiply them."""
    monkeypatch.setattr("connectors.client.PAUSES_S", (0.0, 0.0, 0.0))
    hub.refuse("FetchCertificates", HubError(Reason.LOG_UNAVAILABLE), times=2)

    ran = fetch()

    assert ran.code == 0, ran.err
    texts = {call.signed_request for call in hub.calls["FetchCertificates"]}
    assert len(hub.calls["FetchCertificates"]) == 3
    assert len(texts) == 1


def test_a_new_token_means_a_new_signature_under_the_same_id(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """`ath` binds the request to its token; the request id stays, and both texts are kept."""
    file = hub.folder / "answer.json"
    hub.refuse("FetchCertificates", HubError(Reason.TOKEN_EXPIRED))

    ran = fetch("--out", file)

    assert ran.code == 0, ran.err
    first, second = hub.calls["FetchCertificates"]
    assert first.request_id == second.request_id
    assert first.signed_request != second.signed_request
    assert (hub.folder / "answer.json.request-2.jws").read_text() == second.signed_request


def test_the_next_step_names_the_requests_of_this_answer_and_no_others(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """A file used before keeps its requests, and what is to be copied verifies the new answer."""
    file = hub.folder / "answer.json"
    fetch("--out", file)
    hub.refuse("FetchCertificates", HubError(Reason.TOKEN_EXPIRED))

    ran = fetch("--out", file)

    assert ran.code == 0, ran.err
    named = re.findall(r"--request (\S+)", ran.out)
    assert [Path(path).name for path in named] == [
        "answer.json.request-2.jws",
        "answer.json.request-3.jws",
    ]
    texts = [Path(f"{file}.request{number}.jws").read_text() for number in ("", "-2", "-3")]
    assert texts == [call.signed_request for call in hub.calls["FetchCertificates"]]


def test_a_file_may_be_used_for_more_requests_than_one_id_may_have(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """Each run is another request; only repetitions under one id are bounded."""
    file = hub.folder / "answer.json"

    codes = {fetch("--out", file).code for _ in range(REQUESTS_MAX + 1)}

    assert codes == {0}


def test_up_to_twenty_identifiers_make_one_request(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """One matter, one call, one receipt."""
    by = tuple(part for _ in range(20) for part in ("--cert", CERT))

    ran = fetch("--json", by=by)
    more = fetch("--json", by=(*by, "--cert", CERT))

    assert ran.code == 0, ran.err
    assert len(ran.document["certificates"]) == 20
    assert more.code == 64


@pytest.mark.parametrize("kind", ["111", "414", "999", "xyz"])
def test_a_person_in_an_argument_is_refused_unread(
    hub: Loopback, fetch: Callable[..., Ran], kind: str
) -> None:
    """Arguments are public on a machine; the number is not even repeated in the error."""
    ran = fetch(by=("--holder", f"{kind}:11010519491231002X"))

    assert ran.code == 64
    assert "--holder-file" in ran.err
    assert "11010519491231002X" not in ran.out + ran.err
    assert not hub.calls["FetchCertificates"]


def test_a_persons_number_comes_from_a_file(hub: Loopback, fetch: Callable[..., Ran]) -> None:
    """The way that is offered instead works."""
    holder = ("111", "11010519491231002X")
    file = hub.folder / "holder"
    file.write_text(":".join(holder) + "\n")

    def theirs(answer: Answer) -> None:
        answer.presentations[0] = hub.presentation(holder=holder)

    hub.before_log = theirs

    ran = fetch(by=("--holder-file", str(file)))

    assert ran.code == 0, ran.err


def test_a_wrong_number_is_refused_before_it_is_sent(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """A check digit costs no call."""
    ran = fetch(by=("--holder", "001:91330100MA27XL0047"))

    assert ran.code == 1
    assert "USCC_INVALID" in ran.err
    assert not hub.calls["FetchCertificates"]


def test_the_request_is_bound_to_the_token_it_travels_with(
    hub: Loopback, fetch: Callable[..., Ran]
) -> None:
    """`ath` is the digest of the token as sent."""
    fetch()

    compact = hub.calls["FetchCertificates"][0].signed_request
    claims = parse_object(b64u_decode(compact.split(".")[1]))
    assert claims["ath"] == digest(hub.tokens[-1])
    assert claims["jti"] == hub.calls["FetchCertificates"][0].request_id
