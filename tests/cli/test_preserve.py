"""`sealway document preserve`: a sealed PDF that verifies when its certificates are over."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from hub.cli.main import run
from hub.clock import now_us
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import Kind, Report
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import prepare_pdf
from tests.pdf_documents import DAY, NOW, PLACE, Ca, key_of, page, picture
from tests.time_stamp_server import TimeStampServer, absent, serving

pytestmark = pytest.mark.skipif(absent(), reason="openssl is not installed")
YEARS = 3000 * DAY


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TimeStampServer]:
    with serving(tmp_path_factory.mktemp("tsa")) as started:
        yield started


@pytest.fixture
def judged(
    tmp_path: Path, server: TimeStampServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Report]:
    """In a folder with `sealed.pdf`, lists and anchors; judges a file of it by anchors alone."""
    monkeypatch.chdir(tmp_path)
    ca, now = Ca(), datetime.datetime.fromtimestamp(now_us() / 1e6, datetime.UTC)
    key = key_of(ca, ends=NOW + 3650 * DAY)
    form = CmsForm.of(key)
    sealed = prepare_pdf(page(), PLACE, picture(), form).seal(key, form, now)
    for name, data in (
        ("sealed.pdf", sealed),
        ("changed.pdf", sealed.replace(b"Acme", b"Evil", 1)),
        ("plain.pdf", page()),
        ("ca.crl", ca.crl(now).public_bytes(Encoding.DER)),
        ("tsa.crl", server.ca.crl(now).public_bytes(Encoding.DER)),
        ("ca.pem", ca.root.public_bytes(Encoding.PEM)),
        ("tsa.pem", server.ca.root.public_bytes(Encoding.PEM)),
    ):
        (tmp_path / name).write_bytes(data)
    trust = Trust("hub", "330100", pdf_anchors=(ca.root,), stamp_anchors=(server.ca.root,))

    def judge(name: str, after: datetime.timedelta = 0 * DAY) -> Report:
        evidence = Evidence(now=int((now + after).timestamp()))
        return verify((tmp_path / name).read_bytes(), Kind.PDF, trust, evidence)

    return judge


def test_lists_and_a_time_stamp_keep_it_valid_for_years(
    judged: Callable[..., Report], server: TimeStampServer
) -> None:
    """Without the stamp the lists grow old; with it, and another one later, they do not."""
    preserve, stamp = ["document", "preserve"], ["--tsa", server.url, "--tsa-anchors", "tsa.pem"]

    lists = ["--crl", "ca.crl", "--chain", "ca.pem"]
    assert run([*preserve, "sealed.pdf", *lists, "--out", "lists.pdf"]) == 0
    assert run([*preserve, "lists.pdf", *stamp, "--out", "stamped.pdf"]) == 0
    again = ["--crl", "tsa.crl", *stamp]
    assert run([*preserve, "stamped.pdf", *again, "--out", "again.pdf"]) == 0

    assert judged("sealed.pdf").reason is ProofReason.NO_CRL
    assert judged("lists.pdf").verdict is Verdict.VALID
    assert judged("lists.pdf", YEARS).reason is ProofReason.NO_CRL
    for name in ("stamped.pdf", "again.pdf"):
        assert judged(name, YEARS).verdict is Verdict.VALID
    assert Path("again.pdf").read_bytes().startswith(Path("sealed.pdf").read_bytes())


@pytest.mark.parametrize(
    ("file", "options", "code", "said"),
    [
        ("plain.pdf", ["--crl", "ca.crl"], 1, "PDF_NOT_SEALED"),
        ("changed.pdf", ["--crl", "ca.crl"], 1, "CONTENT_DIGEST_MISMATCH"),
        ("ca.crl", ["--crl", "ca.crl"], 1, "PDF_MALFORMED"),
        ("sealed.pdf", ["--crl", "ca.pem"], 64, "no revocation list"),
        ("sealed.pdf", [], 64, "--crl, --tsa"),
        ("sealed.pdf", ["--tsa", "http://127.0.0.1:9"], 64, "--tsa-anchors"),
        (
            "sealed.pdf",
            ["--tsa", "http://127.0.0.1:9", "--tsa-anchors", "tsa.pem"],
            1,
            "TIME_STAMP_UNAVAILABLE",
        ),
    ],
)
@pytest.mark.usefixtures("judged")
def test_what_cannot_be_kept_is_named_and_nothing_written(
    capsys: pytest.CaptureFixture[str], file: str, options: list[str], code: int, said: str
) -> None:
    """No seal, one that does not hold, no list, no authority."""
    assert run(["document", "preserve", file, *options, "--out", "out.pdf"]) == code

    assert said in capsys.readouterr().err
    assert not Path("out.pdf").exists()
