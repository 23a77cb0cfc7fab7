"""The PKI against openssl, against itself repeated, and against being killed at every step."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from certs.command import main
from certs.issued import IssuedCertificate
from certs.keys import (
    check_csr,
    load_key,
    load_sm2_key,
    make_csr,
    new_key,
    read_passphrase,
    save_key,
)
from certs.pki import SM2_CAS, Pki
from certs.profiles import SHIPPED, load_profiles
from certs.server import server_key_and_cert
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import TEXTS, HubError, Reason
from hub.seal.algorithms import SoftwareKey, Subject, certificate_request, request_info
from tests.children import fork, wait

NOW = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
NAME = "Hangzhou Hub"
USCC = "113301000025123419"
AUTHORITY = "杭州市市场监督管理局"


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pristine") / "pki"
    Pki.init(folder, name=NAME, now=NOW)
    return folder


@pytest.fixture
def pki(pristine: Path, tmp_path: Path) -> Pki:
    return Pki.open(Path(shutil.copytree(pristine, tmp_path / "pki")))


def client(pki: Pki, key: ec.EllipticCurvePrivateKey | None = None) -> IssuedCertificate:
    csr = make_csr(key or new_key(), "intake")
    return pki.issue("system-client", csr, now=NOW, common_name="intake")


def seal(pki: Pki, csr: bytes | None = None) -> IssuedCertificate:
    return pki.issue(
        "seal",
        csr or make_csr(new_key(), "s1"),
        now=NOW,
        common_name="market-1",
        organization=AUTHORITY,
        organization_identifier=USCC,
    )


def openssl_verify(
    pki: Pki, issued: IssuedCertificate, anchor: str, *options: str
) -> tuple[bool, str]:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, the second implementation, is not installed")
    chain = pki.folder / "presented.pem"
    chain.write_bytes(issued.chain_pem)
    trust = pki.folder / "trust" / anchor
    command = ["openssl", "verify", "-x509_strict", "-attime", str(int(NOW.timestamp()) + 60)]
    command += ["-no-CApath", "-no-CAstore", "-CAfile", str(trust), "-untrusted", str(chain)]
    run = subprocess.run(
        [*command, *options, str(chain)], capture_output=True, text=True, check=False, timeout=30
    )
    return run.returncode == 0, run.stdout + run.stderr


def refusal(reason: Reason) -> pytest.RaisesExc[HubError]:
    return pytest.RaisesExc(HubError, check=lambda error: error.reason is reason)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_openssl_accepts_every_profile_for_its_own_purpose(pki: Pki) -> None:
    """Chains, constraints and usages are right in the eyes of another implementation."""
    server = pki.issue(
        "hub-server",
        make_csr(new_key(), "hub"),
        now=NOW,
        common_name="hub",
        dns_names=["hub.example"],
        ip_addresses=["127.0.0.1", "::1"],
    )
    officer = pki.issue("officer", make_csr(new_key(), "o1"), now=NOW, common_name="o1")

    for issued, anchor, options in (
        (server, "tls.pem", ["-purpose", "sslserver", "-verify_hostname", "hub.example"]),
        (server, "tls.pem", ["-purpose", "sslserver", "-verify_ip", "127.0.0.1"]),
        (client(pki), "tls.pem", ["-purpose", "sslclient"]),
        (officer, "tls.pem", ["-purpose", "sslclient"]),
        (seal(pki), "seal.pem", []),
    ):
        accepted, text = openssl_verify(pki, issued, anchor, *options)
        assert accepted, text


@pytest.mark.parametrize(
    "algorithm", [one for one in KeyAlgorithm if one is not KeyAlgorithm.SM2], ids=str
)
def test_a_seals_key_may_be_of_any_algorithm_that_seals(pki: Pki, algorithm: KeyAlgorithm) -> None:
    """The request as the hub's homes of keys write it: certified, renewed, revoked, and believed by
    openssl; for TLS it is refused."""
    key = SoftwareKey.generate(algorithm)
    info = request_info(key.public, Subject("market-1", AUTHORITY, USCC))
    csr = certificate_request(key.public, info, key.sign(info))

    issued = seal(pki, csr)

    accepted, text = openssl_verify(pki, issued, "seal.pem")
    assert accepted, text
    written = issued.certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    assert written == key.public.spki
    pki.verify(issued.certificate, "seal", now=NOW)
    assert seal(pki, csr).serial == issued.serial
    renewed = pki.renew(issued.serial, now=NOW + timedelta(days=1), csr=csr)
    assert renewed.serial != issued.serial
    assert pki.revoke(issued.serial, reason="superseded", now=NOW).changed
    if algorithm is not KeyAlgorithm.ES256:
        with refusal(Reason.CSR_INVALID):
            pki.issue("system-client", csr, now=NOW, common_name="x")


def test_a_request_by_rsa_proves_its_key_with_pss_and_enough_bits(pki: Pki) -> None:
    """PKCS#1 v1.5, another salt, another hash, a shorter key, and a signature of another key."""
    key, short = rsa.generate_private_key(65537, 3072), rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "s1")])
    )

    def request(
        key: rsa.RSAPrivateKey,
        salt: int | None = 32,
        digest: hashes.SHA256 | hashes.SHA384 = hashes.SHA256(),  # noqa: B008 - has no state
    ) -> bytes:
        pss = None if salt is None else padding.PSS(padding.MGF1(digest), salt)
        signed = builder.sign(key, digest, rsa_padding=pss)
        return signed.public_bytes(serialization.Encoding.DER)

    good = request(key)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    for bad in (
        request(key, None), request(key, 20), request(key, 48, hashes.SHA384()), request(short),
        forged,
    ):  # fmt: skip
        with refusal(Reason.CSR_INVALID):
            seal(pki, bad)
    assert seal(pki, good).created


def test_a_client_certificate_is_no_seal_and_a_seal_no_client(pki: Pki) -> None:
    """Usage is separated by anchor, by extension and in the index, for both implementations."""
    of_client, of_seal = client(pki), seal(pki)

    assert not openssl_verify(pki, of_client, "seal.pem")[0]
    assert not openssl_verify(pki, of_seal, "tls.pem")[0]
    assert not openssl_verify(pki, of_client, "tls.pem", "-purpose", "sslserver")[0]
    pki.verify(of_client.certificate, "system-client", now=NOW)
    pki.verify(of_seal.certificate, "seal", now=NOW)
    for issued, profile in (
        (of_client, "seal"),
        (of_seal, "system-client"),
        (of_client, "officer"),
        (of_client, "hub-server"),
    ):
        with refusal(Reason.X509_UNTRUSTED):
            pki.verify(issued.certificate, profile, now=NOW)


def test_verify_refuses_a_foreign_pki_and_times_outside_validity(pki: Pki, tmp_path: Path) -> None:
    """A PKI of the same name does not pass, nor does a certificate before or after its time."""
    other = Pki.init(tmp_path / "other", name=NAME, now=NOW)
    own = client(pki)

    with refusal(Reason.X509_UNTRUSTED):
        pki.verify(client(other).certificate, "system-client", now=NOW)
    for moment in (NOW - timedelta(days=1), own.not_after + timedelta(seconds=1)):
        with refusal(Reason.X509_UNTRUSTED):
            pki.verify(own.certificate, "system-client", now=moment)


def test_a_seal_certificate_names_its_authority_and_nothing_more(pki: Pki) -> None:
    """organizationIdentifier is the credit code, usage is signing only, no EKU, not backdated."""
    issued = seal(pki)
    certificate = issued.certificate

    identifier = certificate.subject.get_attributes_for_oid(x509.ObjectIdentifier("2.5.4.97"))
    organization = certificate.subject.get_attributes_for_oid(x509.NameOID.ORGANIZATION_NAME)
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert [identifier[0].value, organization[0].value] == [USCC, AUTHORITY]
    assert usage.critical and usage.value == x509.KeyUsage(
        True, True, False, False, False, False, False, False, False
    )
    with pytest.raises(x509.ExtensionNotFound):
        certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert certificate.not_valid_before_utc == NOW
    assert issued.chain_der == (issued.der,)


@pytest.mark.parametrize(
    "code", ["113301000025123418", "11330100002512341", "", USCC.lower() + "o"]
)
def test_a_seal_for_a_wrong_credit_code_is_refused(pki: Pki, code: str) -> None:
    """A typing error in the code never reaches a signed certificate."""
    before = snapshot(pki.folder)

    with refusal(Reason.FIELD_INVALID):
        pki.issue(
            "seal",
            make_csr(new_key(), "s1"),
            now=NOW,
            common_name="s1",
            organization=AUTHORITY,
            organization_identifier=code,
        )
    assert snapshot(pki.folder) == before


def test_openssl_refuses_what_the_list_revokes_and_accepts_the_rest(pki: Pki) -> None:
    """Revocation reaches the list at once, with a growing number; other certificates stay good."""
    gone, stays = client(pki), client(pki)
    lists = pki.folder / "crl" / "all.pem"
    check = ["-crl_check_all", "-CRLfile", str(lists)]
    assert openssl_verify(pki, gone, "tls.pem", *check)[0]
    first = x509.load_der_x509_crl((pki.folder / "crl" / "issuing-ca.crl").read_bytes())

    pki.revoke(gone.serial, reason="key_compromise", now=NOW)

    accepted, text = openssl_verify(pki, gone, "tls.pem", *check)
    assert not accepted and "certificate revoked" in text
    assert openssl_verify(pki, stays, "tls.pem", *check)[0]
    assert openssl_verify(pki, seal(pki), "seal.pem", *check)[0]
    second = x509.load_der_x509_crl((pki.folder / "crl" / "issuing-ca.crl").read_bytes())
    numbers = [
        crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        for crl in (first, second)
    ]
    assert numbers[1] > numbers[0]
    with refusal(Reason.X509_UNTRUSTED):
        pki.verify(gone.certificate, "system-client", now=NOW)


def test_a_revoked_issuing_ca_issues_nothing_more(pki: Pki) -> None:
    """The root's list names it, its certificates fail in openssl, and issuing is refused."""
    issued = client(pki)
    serial = next(line.serial for line in pki.list() if line.profile == "issuing-ca")

    pki.revoke(serial, reason="key_compromise", now=NOW)

    check = ["-crl_check_all", "-CRLfile", str(pki.folder / "crl" / "all.pem")]
    assert not openssl_verify(pki, issued, "tls.pem", *check)[0]
    with refusal(Reason.X509_NOT_IN_FORCE):
        client(pki)


def test_everything_repeated_changes_no_byte(pki: Pki) -> None:
    """init, issue, renew, revoke and crl again: the same answers, the same files."""
    key = new_key()
    first = client(pki, key)
    successor = pki.renew(first.serial, now=NOW)
    revoked = pki.revoke(first.serial, reason="superseded", now=NOW)
    lists = pki.crl(NOW)
    before = snapshot(pki.folder)

    later = NOW + timedelta(hours=1)
    again = Pki.init(pki.folder, name=NAME, now=later)

    assert (first.created, successor.created, revoked.changed) == (True, True, True)
    assert again.made == ()
    assert client(again, key).der == successor.der and not client(again, key).created
    assert not again.revoke(first.serial, reason="superseded", now=later).changed
    assert again.crl(later) == lists
    assert snapshot(pki.folder) == before


def test_init_under_another_name_is_refused(pki: Pki) -> None:
    """One folder never becomes the PKI of somebody else."""
    with refusal(Reason.FIELD_INVALID):
        Pki.init(pki.folder, name="Ningbo Hub", now=NOW)


def test_lists_are_signed_anew_after_half_their_time(pki: Pki) -> None:
    """A list never runs out where `crl` is run regularly."""
    before = pki.crl(NOW)

    after = pki.crl(NOW + timedelta(days=4))

    assert after != before
    issuing = x509.load_der_x509_crl((pki.folder / "crl" / "issuing-ca.crl").read_bytes())
    assert issuing.next_update_utc == NOW + timedelta(days=11)


def test_renewal_keeps_subject_and_usage_under_a_new_serial(pki: Pki) -> None:
    """Names, extensions and key stay; serial and times move; renewing again changes nothing."""
    old = client(pki)
    later = NOW + timedelta(days=300)

    new = pki.renew(old.serial, now=later)

    assert new.serial != old.serial and new.not_after > old.not_after
    assert new.certificate.subject == old.certificate.subject
    assert new.certificate.public_key() == old.certificate.public_key()
    assert list(new.certificate.extensions) == list(old.certificate.extensions)
    assert not pki.renew(old.serial, now=later).created
    rekeyed = pki.renew(old.serial, now=later, csr=make_csr(new_key(), "anything"))
    assert rekeyed.created and rekeyed.certificate.subject == old.certificate.subject
    assert rekeyed.certificate.public_key() != old.certificate.public_key()


def test_what_is_not_in_force_is_not_renewed(pki: Pki) -> None:
    """Revoked and expired members enrol again instead."""
    gone, old = client(pki), client(pki)
    pki.revoke(gone.serial, reason="unspecified", now=NOW)

    for serial, moment in ((gone.serial, NOW), (old.serial, old.not_after + timedelta(days=1))):
        with refusal(Reason.X509_NOT_IN_FORCE):
            pki.renew(serial, now=moment)


@pytest.mark.parametrize(("ca", "anchor"), [("root", "tls.pem"), ("issuing-ca", "tls.pem")])
def test_renewing_a_ca_keeps_what_it_issued_valid(pki: Pki, ca: str, anchor: str) -> None:
    """The key stays: old leaves verify under the renewed CA, old anchors stay pinned."""
    issued = client(pki)
    serial = next(line.serial for line in pki.list() if line.profile == ca)

    pki.renew(serial, now=NOW + timedelta(seconds=30))

    _, again = pki.find(issued.serial)
    assert openssl_verify(pki, again, anchor, "-purpose", "sslclient")[0]
    assert openssl_verify(pki, issued, anchor, "-purpose", "sslclient")[0]


def test_an_anchor_is_not_revoked_by_a_list(pki: Pki) -> None:
    """Nobody would read such a list: the operator is told what to do instead."""
    for ca in ("root", "seal-ca"):
        serial = next(line.serial for line in pki.list() if line.profile == ca)
        with refusal(Reason.FIELD_INVALID):
            pki.revoke(serial, reason="key_compromise", now=NOW)


def test_one_key_serves_one_profile_and_one_subject(pki: Pki) -> None:
    """A key certified once is refused for another use or name, and for ever once compromised."""
    key = new_key()
    csr = make_csr(key, "intake")
    issued = client(pki, key)

    for profile, common_name in (("officer", "intake"), ("system-client", "other")):
        with refusal(Reason.X509_KEY_REFUSED):
            pki.issue(profile, csr, now=NOW, common_name=common_name)
    pki.revoke(issued.serial, reason="superseded", now=NOW)
    assert pki.revoke(issued.serial, reason="key_compromise", now=NOW).changed
    with refusal(Reason.X509_KEY_REFUSED):
        client(pki, key)


def test_a_request_without_proof_of_possession_is_refused(pki: Pki) -> None:
    """Bad signature, other algorithms, other curves and rubbish: CSR_INVALID, nothing issued."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    pem = x509.load_pem_x509_csr(make_csr(new_key(), "x"))
    der = bytearray(pem.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    stolen = pem.public_bytes(serialization.Encoding.DER).replace(
        _point(pem.public_key()), _point(new_key().public_key())
    )
    requests = {
        "flipped": bytes(der),
        "stolen": stolen,
        "rsa": builder.sign(rsa.generate_private_key(65537, 2048), hashes.SHA256()),
        "curve": builder.sign(ec.generate_private_key(ec.SECP384R1()), hashes.SHA256()),
        "digest": builder.sign(new_key(), hashes.SHA512()),
        "rubbish": b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        "empty": b"",
        "long": b"0" * 20_000,
    }
    before = snapshot(pki.folder)

    for request in requests.values():
        data = (
            request
            if isinstance(request, bytes)
            else request.public_bytes(serialization.Encoding.PEM)
        )
        with refusal(Reason.CSR_INVALID):
            pki.issue("system-client", data, now=NOW, common_name="x")
    assert snapshot(pki.folder) == before
    assert check_csr(pem.public_bytes(serialization.Encoding.DER)) == pem.public_key()


def _point(key: object) -> bytes:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


@pytest.mark.parametrize(
    ("profile", "common_name", "names", "addresses", "reason"),
    [
        ("tls", "x", [], [], Reason.CERTIFICATE_PROFILE_UNKNOWN),
        ("root", "x", [], [], Reason.CERTIFICATE_PROFILE_UNKNOWN),
        ("system-client", "", [], [], Reason.FIELD_INVALID),
        ("system-client", "x" * 65, [], [], Reason.FIELD_INVALID),
        ("system-client", "a\x00b", [], [], Reason.FIELD_INVALID),
        ("system-client", " a", [], [], Reason.FIELD_INVALID),
        ("system-client", "x", ["a.example"], [], Reason.FIELD_INVALID),
        ("hub-server", "x", [], [], Reason.FIELD_INVALID),
        ("hub-server", "x", ["*.example"], [], Reason.FIELD_INVALID),
        ("hub-server", "x", ["a.example\n"], [], Reason.FIELD_INVALID),
        ("hub-server", "x", [], ["300.1.1.1"], Reason.FIELD_INVALID),
        ("hub-server", "x", ["a.example"] * 33, [], Reason.FIELD_INVALID),
        ("seal", "x", [], [], Reason.FIELD_INVALID),
    ],
)
def test_wrong_names_are_refused_with_field_and_rule(
    pki: Pki,
    *,
    profile: str,
    common_name: str,
    names: list[str],
    addresses: list[str],
    reason: Reason,
) -> None:
    """Nothing is signed for an unknown profile, a control character or a missing member."""
    with refusal(reason):
        pki.issue(
            profile,
            new_key().public_key(),
            now=NOW,
            common_name=common_name,
            dns_names=names,
            ip_addresses=addresses,
        )
    assert len(pki.list()) == 5


def test_private_files_are_private_and_ca_keys_encrypted(pki: Pki, tmp_path: Path) -> None:
    """Keys, passphrase and index 0600, folders 0700, CA keys useless without their passphrase."""
    server = server_key_and_cert(
        pki, tmp_path / "hub", now=NOW, common_name="hub", dns_names=["hub.example"]
    )
    private = [
        *(pki.folder / "ca").glob("*.key"),
        pki.folder / "passphrase",
        pki.folder / "index.jsonl",
        tmp_path / "hub" / "server.key",
    ]

    assert len(private) == 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    for folder in (pki.folder, pki.folder / "ca", tmp_path / "hub"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in (pki.folder / "ca").glob("*.key"):
        assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
        load = load_sm2_key if path.stem in SM2_CAS else load_key
        for passphrase in (b"", b"wrong"):
            with refusal(Reason.FILE_UNREADABLE):
                load(path, passphrase)
        load(path, read_passphrase(pki.folder / "passphrase"))
    assert "PRIVATE" not in repr(server)


def test_a_key_file_that_others_may_read_or_that_exists_is_refused(tmp_path: Path) -> None:
    """Keys are neither believed when exposed nor overwritten."""
    path = tmp_path / "member.key"
    save_key(path, new_key(), None)
    before = path.read_bytes()

    with refusal(Reason.KEY_FILE_EXISTS):
        save_key(path, new_key(), None)
    path.chmod(0o644)
    with refusal(Reason.FILE_UNREADABLE):
        load_key(path, None)
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["member.key"]


def test_a_server_is_given_the_same_certificate_until_it_is_due(pki: Pki, tmp_path: Path) -> None:
    """A restart changes nothing; near its end the certificate is replaced under the same key."""

    def start(now: datetime) -> IssuedCertificate:
        return server_key_and_cert(
            pki, tmp_path / "hub", now=now, common_name="hub", dns_names=["hub.example"]
        ).certificate

    first = start(NOW)
    again, due = start(NOW + timedelta(days=300)), start(NOW + timedelta(days=340))

    assert again.der == first.der and not again.created
    assert due.created and due.certificate.public_key() == first.certificate.public_key()


def test_a_kill_at_any_durable_step_loses_and_breaks_nothing(tmp_path: Path) -> None:
    """init, issue and revoke, killed at the n-th fsync, are finished by being run again."""
    key = new_key()
    step = 0
    while _is_killed(tmp_path / str(step), key, step):
        folder = tmp_path / str(step)
        assert not _is_killed(folder, key, None)
        pki = Pki.open(folder)
        before = snapshot(folder)
        assert Pki.init(folder, name=NAME, now=NOW).made == ()
        assert snapshot(folder) == before
        active = sorted(line.profile for line in pki.list() if line.state(NOW) == "active")
        gone = [line for line in pki.list() if line.state(NOW) == "revoked"]
        crl = x509.load_der_x509_crl((folder / "crl" / "issuing-ca.crl").read_bytes())
        assert active == ["issuing-ca", "root", "seal-ca", "sm2-maker-ca", "sm2-seal-ca"]
        assert [line.profile for line in gone] == ["system-client"]
        assert [entry.serial_number for entry in crl] == [int(gone[0].serial, 16)]
        step += 1
    assert step > 30, "the sweep did not reach the durable steps"


def _is_killed(folder: Path, key: ec.EllipticCurvePrivateKey, step: int | None) -> bool:
    """Do the work in a child that dies at fsync number `step`; False where it came to its end."""
    left, fsync = step, os.fsync

    def fatal_fsync(opened: int) -> None:
        nonlocal left
        if left is not None:
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        fsync(opened)

    def work() -> None:
        os.fsync = fatal_fsync
        pki = Pki.init(folder, name=NAME, now=NOW)
        if not any(line.profile == "system-client" for line in pki.list()):
            client(pki, key)
        serial = next(line.serial for line in pki.list() if line.profile == "system-client")
        pki.revoke(serial, reason="superseded", now=NOW)

    status = wait(fork(work))
    assert status in {0, -signal.SIGKILL}, "the work failed"
    return status != 0


def test_two_processes_issuing_at_once_lose_no_line(pki: Pki) -> None:
    """Each certificate of several concurrent issuers stands in the index once."""

    def issue_three() -> None:
        for _ in range(3):
            client(pki)

    children = [fork(issue_three) for _ in range(4)]

    statuses = [wait(child) for child in children]

    assert statuses == [0] * 4
    assert len(pki.list()) == 5 + 12


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-20],
        lambda data: data + data.splitlines(keepends=True)[0],
        lambda data: data.replace(b'"status":"active"', b'"status":"revoked"', 1),
        lambda data: data.replace(b'"profile":"root"', b'"profile":"boot"', 1),
        lambda data: data.replace(b'"renews":null,', b"", 1),
    ],
)
def test_a_damaged_index_stops_issuing(pki: Pki, damage: object) -> None:
    """Torn, repeated or contradictory lines are named, never skipped."""
    path = pki.folder / "index.jsonl"
    assert callable(damage)
    path.write_bytes(damage(path.read_bytes()))

    with refusal(Reason.PKI_INDEX_DAMAGED):
        client(pki)


def test_a_lost_index_is_noticed_and_not_started_afresh(pki: Pki) -> None:
    """Without its index a PKI could not revoke what it issued."""
    (pki.folder / "index.jsonl").unlink()

    with refusal(Reason.PKI_INDEX_DAMAGED):
        Pki.init(pki.folder, name=NAME, now=NOW)
    with refusal(Reason.PKI_INDEX_DAMAGED):
        Pki.open(pki.folder)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("validity_days = 397", "validity_days = 0"),
        ("validity_days = 397", "validity_day = 397"),
        ('extended_key_usage = ["server_auth"]', 'extended_key_usage = ["any"]'),
        ('CN = "{common_name}"', 'CN = "{common_name.__class__}"'),
        ('issued_by = "seal-ca"', 'issued_by = "seal"'),
        ("[officer]", "[officers]"),
        ('["digital_signature", "content_commitment"]', '["digital_signature", "key_cert_sign"]'),
        ("[seal]", "[seal"),
    ],
)
def test_wrong_profiles_are_refused_before_anything_is_signed(
    tmp_path: Path, old: str, new: str
) -> None:
    """A mistake in profiles.toml is named by table and rule."""
    text = SHIPPED.read_text()
    assert old in text
    path = tmp_path / "profiles.toml"
    path.write_text(text.replace(old, new, 1))

    with refusal(Reason.PKI_PROFILES_INVALID):
        load_profiles(path)


def test_a_distribution_point_is_written_where_the_ca_has_one(tmp_path: Path) -> None:
    """`crl_url` of the issuing CA's profile stands in what it issues, and only there."""
    folder = tmp_path / "pki"
    folder.mkdir()
    url = "http://pki.example/issuing-ca.crl"
    text = SHIPPED.read_text().replace("crl_days = 7\n", f'crl_days = 7\ncrl_url = "{url}"\n')
    (folder / "profiles.toml").write_text(text)
    pki = Pki.init(folder, name=NAME, now=NOW)

    points = client(pki).certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)

    assert points.value[0].full_name == [x509.UniformResourceIdentifier(url)]
    with pytest.raises(x509.ExtensionNotFound):
        seal(pki).certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)


def test_no_verb_prints_key_material_and_each_says_what_is_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every verb, as text and as JSON, first and repeated: no secret, a next step, status 0."""
    folder, out = tmp_path / "pki", tmp_path / "system.pem"
    pki = ["--folder", str(folder), "--now", "2026-01-01T08:00:00Z"]
    key, csr = tmp_path / "member" / "system.key", tmp_path / "member" / "system.csr"
    runs = [
        ["init", *pki, "--name", NAME],
        ["request", "--key", str(key), "--csr", str(csr), "--common-name", "intake"],
        ["issue", "system-client", *pki, "--csr", str(csr), "--common-name=intake", f"--out={out}"],
        ["renew", str(out), *pki],
        ["show", str(out), *pki],
        ["revoke", str(out), *pki, "--reason", "superseded"],
        ["crl", *pki],
        ["list", *pki],
    ]

    for run in runs:
        assert main(run) == 0
        assert "\nnext: " in capsys.readouterr().out
    before = snapshot(tmp_path)
    for run in (run for run in runs if run[0] not in ("renew", "issue")):
        assert main([*run, "--json"]) == 0
        text = capsys.readouterr().out
        assert text.startswith("{") and '"changed": true' not in text
        for secret in (key, folder / "passphrase", *(folder / "ca").iterdir()):
            # The first line of the body; the last of a plain key repeats the public point.
            body = [x for x in secret.read_text().splitlines() if not x.startswith("-----")]
            assert body[0] not in text
        assert "PRIVATE KEY" not in text
    assert snapshot(tmp_path) == before


def test_refusals_at_the_terminal_speak_both_languages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused = 1 with the reason's text, wrong usage = 64, nothing on standard output."""
    folder = ["--folder", str(tmp_path / "none")]

    assert main(["list", *folder, "--language", "en"]) == 1
    assert "holds no PKI" in capsys.readouterr().err
    assert main(["list", *folder, "--language", "zh"]) == 1
    captured = capsys.readouterr()
    assert "没有 PKI" in captured.err and captured.out == ""
    with pytest.raises(SystemExit) as left:
        main(["renew"])
    assert left.value.code == 64


def test_every_reason_raised_here_has_a_text() -> None:
    """What to do stands in both languages."""
    for name in Reason.__members__:
        if name.startswith(("X509_", "PKI_", "CSR_", "KEY_FILE_", "FILE_", "CERTIFICATE_PROFILE_")):
            assert TEXTS[Reason[name]].en and TEXTS[Reason[name]].zh
