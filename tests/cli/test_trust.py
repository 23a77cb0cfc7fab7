"""`sealway trust`: a file is changed whole or not at all, and verification follows it."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.proof.ses.seal import parse_seal
from hub.proof.trust import Trust, parse_trust, trust_file
from tests.cli.conftest import Sealway
from tests.pdf_documents import Ca
from tests.proof.test_ses_verify import ROOT, SEAL, SIGNER, crl

CA = Ca()


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A file that pins nothing yet, with a seal, a PDF, revocation lists and certificates."""
    (tmp_path / "trust.json").write_bytes(trust_file(Trust("hub.example", "330100")))
    (tmp_path / "seal.esl").write_bytes(SEAL)
    (tmp_path / "seal.crl").write_bytes(crl({}))
    (tmp_path / "sm2.der").write_bytes(ROOT.der)
    (tmp_path / "signer.der").write_bytes(SIGNER.der)
    (tmp_path / "pdf.pem").write_bytes(CA.root.public_bytes(Encoding.PEM))
    return tmp_path / "trust.json"


def verdict(
    sealway: Sealway, trust: Path, *, as_of: str = "2026-01-01T00:00:00Z"
) -> tuple[int, str]:
    ran = sealway(
        *("verify", "seal.esl", "--trust", trust, "--crl", "seal.crl"),
        *("--as-of", as_of, "--json"),
    )
    return ran.code, str(ran.document["reason"])


def test_what_is_pinned_is_trusted_for_its_use_alone(sealway: Sealway, trust: Path) -> None:
    """As signer the root makes no seal valid; as maker it does; twice is once."""
    nothing = verdict(sealway, trust)
    sealway("trust", "pin", trust, "--signer", "sm2.der")
    as_signer = verdict(sealway, trust)
    sealway("trust", "pin", trust, "--maker", "sm2.der", "--pdf", "pdf.pem")
    sealway("trust", "pin", trust, "--maker", "sm2.der")

    assert (nothing[0], as_signer[0], verdict(sealway, trust)[0]) == (2, 2, 0)
    pinned = parse_trust(trust.read_bytes())
    assert pinned.maker_anchors == (x509.load_der_x509_certificate(ROOT.der),)
    assert pinned.pdf_anchors == (CA.root,)


def test_a_key_declared_compromised_by_its_certificate_counts(
    sealway: Sealway, trust: Path
) -> None:
    """The maker's key was in other hands before it made the seal: shown, and judged."""
    sealway("trust", "pin", trust, "--maker", "sm2.der")
    maker = trust.with_name("maker.der")

    maker.write_bytes(parse_seal(SEAL).maker_x509)

    ran = sealway(
        *("trust", "compromised", trust, "--certificate", maker),
        *("--since", "2024-12-31", "--json"),
    )

    (declared,) = ran.document["compromised"]
    assert declared["from"] == "2024-12-30T16:00:00Z"
    assert verdict(sealway, trust) == (1, "KEY_COMPROMISED")


def test_a_p256_key_has_the_names_of_both_uses(sealway: Sealway, trust: Path) -> None:
    """A record seal knows its key by the thumbprint, a document by the digest."""
    shown = sealway("trust", "pin", trust, "--seal", "pdf.pem", "--json").document
    (anchor,) = shown["anchors"]

    ran = sealway(
        *("trust", "compromised", trust, "--certificate", "pdf.pem"),
        *("--since", "2026-01-31T08:00:00+08:00", "--json"),
    )

    assert len(anchor["keys"].split(", ")) == 2
    assert [item["key"] for item in ran.document["compromised"]] == anchor["keys"].split(", ")


def test_an_algorithm_ends_once(sealway: Sealway, trust: Path) -> None:
    """A later word replaces the one before."""
    sealway("trust", "pin", trust, "--maker", "sm2.der")
    sealway("trust", "end", trust, "SM2", "--until", "2025-12-31")
    ended = verdict(sealway, trust)
    ran = sealway("trust", "end", trust, "SM2", "--until", "2035-12-31", "--json")

    assert ended == (2, "ALGORITHM_END_OPEN")
    assert len(ran.document["algorithms"]) == 1
    assert verdict(sealway, trust)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["pin"],
        ["pin", "--maker", "absent.pem"],
        ["pin", "--maker", "seal.esl"],
        ["compromised", "--since", "2026-01-31"],
        ["compromised", "--since", "2026-01-31", "--key", "short"],
        ["compromised", "--since", "soon", "--key", "A" * 43],
        ["compromised", "--since", "2026-01-31", "--key", "A" * 43, "--certificate", "pdf.pem"],
        ["end", "--until", "2026-01-31", "MD5"],
        ["end", "--until", "soon", "SM2"],
    ],
)
def test_what_is_wrong_changes_nothing(sealway: Sealway, trust: Path, arguments: list[str]) -> None:
    """The file is as it was, and the next step is named."""
    before = trust.read_bytes()

    ran = sealway("trust", arguments[0], trust, *arguments[1:])

    assert ran.code != 0
    assert "Traceback" not in ran.err
    assert trust.read_bytes() == before


def test_a_damaged_file_is_named(sealway: Sealway, trust: Path) -> None:
    """Before anything is changed."""
    trust.write_bytes(b"{}")

    ran = sealway("trust", "show", trust)

    assert (ran.code, "is not a trust file" in ran.err) == (64, True)


def test_a_person_is_shown_anchors_and_what_ended(sealway: Sealway, trust: Path) -> None:
    """In tables, in the language asked for."""
    sealway("trust", "pin", trust, "--pdf", "pdf.pem")
    ran = sealway("--lang", "zh", "trust", "end", trust, "ES256", "--until", "2035-12-31")

    assert "用途" in ran.out
    assert "已停用" in ran.out
    assert "ES256" in ran.out
