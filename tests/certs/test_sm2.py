"""The national side of the PKI: CAs, profiles and lists in SM2, read by openssl."""

from __future__ import annotations

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from certs.issued import IssuedCertificate
from certs.keys import make_csr, new_key
from certs.pki import SM2_CAS, SM2_MAKER_CA, SM2_SEAL_CA, Pki
from certs.profiles import SHIPPED
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.x509.make_sm2 import make_request

NOW = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
USCC = "113301000025123419"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.init(tmp_path_factory.mktemp("sm2") / "pki", name="Hangzhou Hub", now=NOW)


def csr(key: sm2.PrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    return make_request(subject, key.public, key.sign)


def issue(pki: Pki, profile: str, key: sm2.PrivateKey | None = None) -> IssuedCertificate:
    return pki.issue(
        profile,
        csr(key or sm2.PrivateKey.generate()),
        now=NOW,
        common_name="电子印章",
        organization="杭州市市场监督管理局",
        organization_identifier=USCC,
    )


def openssl_accepts(pki: Pki, issued: IssuedCertificate, anchor: str, *options: str) -> bool:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, the second implementation, is not installed")
    leaf = pki.folder / "leaf.pem"
    leaf.write_bytes(issued.pem)
    trust = pki.folder / "trust" / anchor
    command = ["openssl", "verify", "-attime", str(int(NOW.timestamp()) + 60)]
    command += ["-vfyopt", "distid:1234567812345678", "-no-CApath", "-no-CAstore"]
    run = subprocess.run(
        [*command, "-CAfile", str(trust), *options, str(leaf)],
        capture_output=True,
        check=False,
        timeout=30,
    )
    return run.returncode == 0


def test_each_profile_leads_to_its_own_anchor_and_to_no_other(pki: Pki) -> None:
    """openssl and our own check agree: a signer of documents is no maker of seals."""
    maker, signer = issue(pki, "seal-maker"), issue(pki, "sm2-seal")

    assert openssl_accepts(pki, maker, "sm2-maker.pem")
    assert openssl_accepts(pki, signer, "sm2-seal.pem")
    assert not openssl_accepts(pki, signer, "sm2-maker.pem")
    assert not openssl_accepts(pki, maker, "sm2-seal.pem")
    pki.verify(maker.certificate, "seal-maker", now=NOW)
    pki.verify(signer.certificate, "sm2-seal", now=NOW)
    for issued, profile in ((maker, "sm2-seal"), (signer, "seal-maker"), (signer, "seal")):
        with pytest.raises(HubError) as caught:
            pki.verify(issued.certificate, profile, now=NOW)
        assert caught.value.reason is Reason.X509_UNTRUSTED


def test_the_subject_names_the_authority_and_the_chain_has_no_root(pki: Pki) -> None:
    """organizationIdentifier is the credit code; the anchor is pinned, not sent."""
    issued = issue(pki, "sm2-seal")

    (code,) = issued.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
    assert code.value == USCC
    assert len(issued.chain_der) == 1
    assert pki.sm2_anchor_pem(SM2_SEAL_CA) != pki.sm2_anchor_pem(SM2_MAKER_CA)


def test_the_same_request_gives_the_same_certificate_and_renewal_another(pki: Pki) -> None:
    """Repeating is safe, and a key keeps its one profile."""
    key = sm2.PrivateKey.generate()
    first = issue(pki, "sm2-seal", key)

    again = issue(pki, "sm2-seal", key)
    renewed = pki.renew(first.serial, now=NOW + timedelta(days=1))

    assert again.serial == first.serial
    assert renewed.serial != first.serial
    assert openssl_accepts(
        pki, renewed, "sm2-seal.pem", "-attime", str(int(NOW.timestamp()) + 90_000)
    )
    with pytest.raises(HubError) as caught:
        issue(pki, "seal-maker", key)
    assert caught.value.reason is Reason.X509_KEY_REFUSED


@pytest.mark.parametrize(("profile", "algorithm"), [("sm2-seal", "P-256"), ("seal", "SM2")])
def test_a_request_of_another_algorithm_is_refused(pki: Pki, profile: str, algorithm: str) -> None:
    """A profile certifies keys of its own algorithm only."""
    request = csr(sm2.PrivateKey.generate()) if algorithm == "SM2" else make_csr(new_key(), "x")
    values = {"common_name": "x", "organization": "x", "organization_identifier": USCC}

    with pytest.raises(HubError) as caught:
        pki.issue(profile, request, now=NOW, **values)

    assert caught.value.reason is Reason.CSR_INVALID


def test_a_revoked_certificate_stands_in_a_list_that_openssl_reads(pki: Pki) -> None:
    """The list is signed in SM2 by its own CA, and nothing is signed anew without need."""
    issued = issue(pki, "sm2-seal")
    path = pki.folder / "crl" / f"{SM2_SEAL_CA}.crl"
    lists = str(pki.folder / "crl" / "all.pem")

    pki.revoke(issued.serial, reason="key_compromise", now=NOW)

    crl = x509.load_der_x509_crl(path.read_bytes())
    assert int(issued.serial, 16) in {entry.serial_number for entry in crl}
    assert not openssl_accepts(pki, issued, "sm2-seal.pem", "-crl_check", "-CRLfile", lists)
    before = path.read_bytes()
    pki.crl(NOW + timedelta(days=1))
    assert path.read_bytes() == before
    with pytest.raises(HubError) as caught:
        pki.verify(issued.certificate, "sm2-seal", now=NOW)
    assert caught.value.reason is Reason.X509_UNTRUSTED


def test_a_pki_from_before_works_without_the_national_side(tmp_path: Path) -> None:
    """Its own profiles.toml rules: no CA appears that it does not name."""
    folder = tmp_path / "pki"
    folder.mkdir(mode=0o700)
    old = SHIPPED.read_text(encoding="utf-8").partition("# The national side")[0]
    (folder / "profiles.toml").write_text(old, encoding="utf-8")

    pki = Pki.init(folder, name="Old", now=NOW)

    assert not {line.profile for line in pki.list()} & set(SM2_CAS)
    assert pki.sm2_anchor_pem(SM2_MAKER_CA) == b""
    with pytest.raises(HubError) as caught:
        issue(pki, "sm2-seal")
    assert caught.value.reason is Reason.CERTIFICATE_PROFILE_UNKNOWN
