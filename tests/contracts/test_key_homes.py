"""Every home of keys: made there, found again, one use, one format, destroyed for ever."""

from __future__ import annotations

import dataclasses
import ssl
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509

from certs.pki import Pki
from hub.domain.certificate import Custody
from hub.domain.row import emit_row
from hub.domain.seal_key import FORMATS, SIGNED_BYTES_MAX, KeyAlgorithm, KeyUse, key_name
from hub.errors import HubError, Reason
from hub.proof.encoding import b64u, emit_json
from hub.proof.jose import APPROVAL_TYP, FACE_TYP, SEAL_TYP, STATUS_TYP
from hub.proof.jose import header_segment as face_header
from hub.proof.sealing.records import Mandate
from hub.seal.algorithms import JOSE_NAMES, PublicKey, Subject, octets_of_der
from hub.seal.homes.files import KeyFiles
from hub.seal.homes.pkcs11 import Pkcs11Keys, TokenUri
from hub.seal.homes.remote import RemoteAddress, RemoteSigner
from hub.seal.homes.service import ServiceAddress, ServiceHome
from hub.seal.homes.signers import SignerHome
from hub.seal.keys import KeyHome, KeyOrder, SigningKey, header_segment
from tests import softhsm
from tests.connectors.department import Department
from tests.proof.officers import ORIGIN, REGION
from tests.seal.mandates import IDENTIFIER, SEAL, Mandates, row_of_face, signer_process
from tests.sealing_service import SealingService

USCC = "91330100MADEM0022M"
SUBJECT = Subject("电子印章", "杭州市市场监督管理局", USCC)
CHAIN = (b"leaf", b"issuer")

# What each use signs, in outline: an SES_SealInfo, a TBS_Sign, a SET of attributes.
SES_SEAL = bytes.fromhex("3006300416024553")
TBS_SIGN = bytes.fromhex("301802010430020500180f") + b"20261127080000Z"
ATTRIBUTES = bytes.fromhex("31053003060155")
BYTES = {KeyUse.MAKER: SES_SEAL, KeyUse.OFD: TBS_SIGN, KeyUse.PDF: ATTRIBUTES}


@contextmanager
def _opened(
    kind: str, folder: Path, mandates: Mandates, patch: pytest.MonkeyPatch
) -> Iterator[KeyHome]:
    """A home of this kind; those behind the signer process are shown `mandates`."""
    passphrase = folder / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("sixteen characters or more")
    files = KeyFiles(folder / "keys", passphrase)
    if kind == "files":
        yield files
        return
    if kind == "service":
        service = SealingService()
        with service.serving():
            place = ServiceAddress(service.url, None, None, None, 20.0)
            at_service = ServiceHome(place, "service-province", Custody.HUB_FILE)
            yield at_service
            at_service.close()
        return
    if kind == "remote":
        with _remote(folder, mandates) as at_department:
            yield at_department
        return
    token = softhsm.SoftToken(folder)
    if kind.endswith("pkcs11"):
        try:
            token.create()
        except softhsm.SoftHsmAbsent as absent:
            pytest.skip(str(absent))
        patch.setenv("SOFTHSM2_CONF", str(token.configuration))
    if kind == "pkcs11":
        keys = Pkcs11Keys(TokenUri.parse(token.uri, folder))
        yield keys
        keys.close()
        return
    process = signer_process(folder, mandates, token.uri if kind.endswith("pkcs11") else "")
    every = frozenset(KeyAlgorithm)
    if kind == "process-files":
        yield SignerHome(process, "files", Custody.HUB_FILE, every)
    else:
        yield SignerHome(process, "pkcs11", Custody.HUB_HSM, every - {KeyAlgorithm.SM2})
    process.close()


@contextmanager
def _remote(folder: Path, mandates: Mandates) -> Iterator[KeyHome]:
    """A department's signer with its outbox, in which stands the row of the faces in `mandates`."""
    department = Department.begin(folder / "department")
    pki = Pki.init(folder / "pki", name="Test", now=datetime.now(UTC))
    pinned = {"origin": ORIGIN, "region": REGION, "log_key": "log"}
    makers = ssl.DER_cert_to_PEM_cert(mandates.sm2.der).encode()
    department.equip(pki, folder, pinned, makers)
    row = SimpleNamespace(salt=bytes(32), row=emit_row(row_of_face()))
    department.stage(1, "batch", "root", [row])
    department.settle(1, IDENTIFIER)
    place = RemoteAddress(
        "remote-market",
        f"localhost:{department.port}",
        folder / "remote-ca.pem",
        folder / "remote.pem",
        folder / "remote.key",
        20.0,
    )
    department.start()
    try:
        signer = RemoteSigner(place, ORIGIN, REGION, "log", mandates)
        every = frozenset(KeyAlgorithm)
        yield SignerHome(signer, place.name, Custody.DEPARTMENT, every, called="remote")
        signer.close()
    finally:
        department.stop()


DIRECT = ("files", "pkcs11", "service")
BEHIND = ("process-files", "process-pkcs11", "remote")
direct = pytest.mark.parametrize("home", DIRECT, indirect=True, scope="module")
"""Of homes that sign whatever has the form of the key's format: whoever asks them has checked."""
behind = pytest.mark.parametrize("home", BEHIND, indirect=True, scope="module")
"""Of homes that check themselves, and sign nothing without a mandate."""


@pytest.fixture(scope="module")
def mandates() -> Mandates:
    return Mandates()


@pytest.fixture(scope="module", params=(*DIRECT, *BEHIND))
def home(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mandates: Mandates
) -> Iterator[KeyHome]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        with _opened(request.param, folder, mandates, patch) as found:
            yield found


def algorithms_of(home: KeyHome) -> list[KeyAlgorithm]:
    return sorted(home.algorithms)


def opened(home: KeyHome, algorithm: KeyAlgorithm, use: KeyUse) -> tuple[PublicKey, SigningKey]:
    made = home.create(algorithm, use, SUBJECT)
    return made.public, home.open(made.public.kid, algorithm, use, CHAIN)


def octets(algorithm: KeyAlgorithm, signature: bytes) -> bytes:
    """What `PublicKey.verify` takes, of a signature in a DER format."""
    if algorithm in (KeyAlgorithm.ED25519, KeyAlgorithm.PS256):
        return signature
    return octets_of_der(algorithm, signature)


# What is used in earnest; a home refuses none of the others.
KEYS = (
    (KeyAlgorithm.ES256, KeyUse.RECORD),
    (KeyAlgorithm.SM2, KeyUse.RECORD),
    (KeyAlgorithm.SM2, KeyUse.MAKER),
    (KeyAlgorithm.SM2, KeyUse.OFD),
    (KeyAlgorithm.ES256, KeyUse.PDF),
    (KeyAlgorithm.ES384, KeyUse.PDF),
    (KeyAlgorithm.ED25519, KeyUse.PDF),
    (KeyAlgorithm.PS256, KeyUse.PDF),
    (KeyAlgorithm.SM2, KeyUse.PDF),
    (KeyAlgorithm.ES256, KeyUse.FACE),
)


@direct
@pytest.mark.parametrize(("algorithm", "use"), KEYS)
def test_a_key_signs_for_its_use(home: KeyHome, algorithm: KeyAlgorithm, use: KeyUse) -> None:
    """Found by its thumbprint; what it signs verifies, in the form of the format."""
    if algorithm not in home.algorithms:
        with pytest.raises(HubError) as refused:
            home.create(algorithm, use, SUBJECT)
        assert refused.value.reason is Reason.ALGORITHM_NOT_HERE
        return
    public, key = opened(home, algorithm, use)
    header = face_header(FACE_TYP, key.kid) if use is KeyUse.FACE else header_segment(key)
    data = BYTES.get(use) or f"{header}.e30".encode()

    signature = key.sign(data, FORMATS[use])

    assert key.kid == public.kid == PublicKey.from_spki(public.spki).kid
    assert (key.algorithm, key.custody) == (algorithm, home.custody)
    assert key.x509_chain == CHAIN
    in_octets = use in (KeyUse.RECORD, KeyUse.FACE)
    raw = signature if in_octets else octets(algorithm, signature)
    public.verify(data, raw)
    with pytest.raises(HubError) as caught:
        public.verify(data + b"x", raw)
    assert caught.value.reason is Reason.KEY_SIGNATURE_WRONG


def certified(
    home: KeyHome, mandates: Mandates, algorithm: KeyAlgorithm, use: KeyUse, **changes: object
) -> tuple[PublicKey, SigningKey]:
    """A key of the authority's, with its certificate; `changes` are what its order says
    otherwise."""
    public = mandates.make(home, algorithm, use, SUBJECT, changes).public
    chain = (mandates.certificate(public),)
    return public, home.open(public.kid, algorithm, use, chain)


@pytest.mark.parametrize(
    ("algorithm", "use"), [(one, use) for one, use in KEYS if use in (KeyUse.OFD, KeyUse.PDF)]
)
def test_a_key_seals_the_document_that_was_approved(
    home: KeyHome, mandates: Mandates, algorithm: KeyAlgorithm, use: KeyUse
) -> None:
    """In every home alike, by every algorithm of the use that it has; the signature is over the
    exact bytes."""
    if algorithm not in home.algorithms:
        with pytest.raises(HubError) as refused:
            mandates.make(home, algorithm, use, SUBJECT)
        assert refused.value.reason is Reason.ALGORITHM_NOT_HERE
        return
    public, key = certified(home, mandates, algorithm, use)
    work = mandates.document(key)

    signature = key.sign_document(work)

    public.verify(work.document.to_sign, octets(algorithm, signature))
    assert (key.kid, key.use, key.custody) == (public.kid, use, home.custody)


def test_a_makers_key_makes_the_seal_that_was_approved(home: KeyHome, mandates: Mandates) -> None:
    """In every home that has SM2 and is not a department's, whose rows say nothing of seals."""
    if KeyAlgorithm.SM2 not in home.algorithms:
        with pytest.raises(HubError) as refused:
            mandates.make(home, KeyAlgorithm.SM2, KeyUse.MAKER, SUBJECT)
        assert refused.value.reason is Reason.ALGORITHM_NOT_HERE
        return
    public, key = certified(home, mandates, KeyAlgorithm.SM2, KeyUse.MAKER)
    work = mandates.seal(key)
    if home.custody is Custody.DEPARTMENT:
        with pytest.raises(HubError) as caught:
            key.sign_seal(work)
        assert caught.value.reason is Reason.KEY_USAGE_REFUSED
        return

    public.verify(work.info, octets(KeyAlgorithm.SM2, key.sign_seal(work)))


def test_a_key_signs_the_code_of_a_face_that_was_approved(
    home: KeyHome, mandates: Mandates
) -> None:
    """In every home."""
    public, key = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.FACE)
    work = mandates.code(key)

    public.verify(work.to_sign, key.sign_face_code(work))


@behind
def test_behind_a_signer_nothing_else_is_signed(home: KeyHome, mandates: Mandates) -> None:
    """Without a mandate, of another key, after too many uses: each by its reason."""
    _, key = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF)
    _, other = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF)
    _, record = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.RECORD)
    _, face = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.FACE)
    another = IDENTIFIER.replace(".001.", ".002.")
    once = mandates.document(key, mandates.standing(uses_max=1))
    # The very same work is known again by its id, and answered alike.
    assert key.sign_document(once) == key.sign_document(once)
    again = dataclasses.replace(once, request_id=str(uuid.uuid4()))

    for attempt, reason in (
        (lambda: key.sign(once.document.to_sign, FORMATS[KeyUse.PDF]), Reason.KEY_USAGE_REFUSED),
        (lambda: key.sign_document(again), Reason.INTENT_EXHAUSTED),
        (lambda: other.sign_document(mandates.document(key)), Reason.INTENT_NOT_APPROVED),
        (lambda: record.sign_document(mandates.document(key)), Reason.KEY_USAGE_REFUSED),
        (lambda: key.sign_seal(mandates.seal(key)), Reason.KEY_USAGE_REFUSED),
        (lambda: key.sign_face_code(mandates.code(key)), Reason.KEY_USAGE_REFUSED),
        (lambda: face.sign_face_code(mandates.code(key)), Reason.INTENT_NOT_APPROVED),
        (lambda: face.sign_face_code(mandates.code(face, iat=1)), Reason.INTENT_NOT_APPROVED),
        (lambda: face.sign_face_code(mandates.code(face, origin="x")), Reason.INTENT_NOT_APPROVED),
        (
            lambda: face.sign_face_code(mandates.code(face, identifier=another)),
            Reason.INTENT_NOT_APPROVED,
        ),
    ):
        with pytest.raises(HubError) as caught:
            attempt()
        assert caught.value.reason is reason


def test_the_request_proves_the_key_and_names_the_authority(
    home: KeyHome, mandates: Mandates, tmp_path: Path
) -> None:
    """PKCS#10 that OpenSSL verifies; organizationIdentifier = credit code; long names are cut."""
    long = Subject("章" * 70, "局" * 70, USCC)
    for algorithm in algorithms_of(home):
        made = mandates.make(home, algorithm, KeyUse.RECORD, long)
        file = tmp_path / "request.der"
        file.write_bytes(made.x509_request)

        command = ["openssl", "req", "-inform", "DER", "-in", file, "-verify", "-noout", "-subject",
                   "-nameopt", "utf8,oid"]  # fmt: skip
        if algorithm is KeyAlgorithm.SM2:
            command += ["-vfyopt", "distid:1234567812345678"]
        said = subprocess.run(command, capture_output=True, text=True, check=True)

        assert "verify OK" in said.stderr, f"{algorithm}: {said.stderr}"
        assert USCC in said.stdout
        assert "局" * 64 in said.stdout
        assert "局" * 65 not in said.stdout
        if algorithm is not KeyAlgorithm.SM2:
            request = x509.load_der_x509_csr(made.x509_request)
            assert request.is_signature_valid


@direct
def test_a_key_signs_its_one_format_only(home: KeyHome) -> None:
    """No digest, no other use's bytes, no approval, no other header, nothing over 64 KiB."""
    algorithm = KeyAlgorithm.ES256
    for use in KeyUse:
        _, key = opened(home, algorithm, use)
        members = {"alg": "ES256", "typ": SEAL_TYP, "kid": key.kid, "x5c": []}
        header = header_segment(key)
        for data, format in (
            (bytes(32), FORMATS[use]),
            (b"", FORMATS[use]),
            (BYTES.get(use, f"{header}.e30".encode()), APPROVAL_TYP),
            (f"{header}.e30".encode(), STATUS_TYP),
            (f"{b64u(emit_json(dict(members)))}.e30".encode(), SEAL_TYP),
            (f"{b64u(emit_json({'alg': 'ES256', 'typ': APPROVAL_TYP}))}.e30".encode(), SEAL_TYP),
            (f"{header}.{'A' * SIGNED_BYTES_MAX}".encode(), SEAL_TYP),
            (BYTES.get(use, b"") + b"\x00", FORMATS[use]),
            *[(data, FORMATS[use]) for other, data in BYTES.items() if other is not use],
            *[(data, FORMATS[other]) for other, data in BYTES.items() if other is not use],
        ):
            with pytest.raises(HubError) as caught:
                key.sign(data, format)
            assert caught.value.reason is Reason.KEY_USAGE_REFUSED, (use, data, format)


def test_a_key_is_not_found_for_another_use_or_algorithm(home: KeyHome, mandates: Mandates) -> None:
    """A row of the database that says otherwise opens nothing."""
    made = mandates.make(home, KeyAlgorithm.ES256, KeyUse.RECORD, SUBJECT)
    for algorithm, use in (
        (KeyAlgorithm.ES256, KeyUse.PDF),
        (KeyAlgorithm.ES384, KeyUse.RECORD),
        (KeyAlgorithm.SM2, KeyUse.RECORD),
    ):
        with pytest.raises(HubError) as caught:
            home.open(made.public.kid, algorithm, use, CHAIN)
        assert caught.value.reason is Reason.KEY_UNAVAILABLE


def test_a_destroyed_key_is_gone(home: KeyHome, mandates: Mandates) -> None:
    """Counted while it lives; destroying it twice is no error, opening it afterwards is. A
    department destroys its own, and nobody else does; the signer process destroys what officers
    have ordered."""
    before = home.health().count
    made = mandates.make(home, KeyAlgorithm.ES256, KeyUse.RECORD, SUBJECT)
    other = mandates.make(home, KeyAlgorithm.ES256, KeyUse.RECORD, SUBJECT)
    here = home.health()
    assert here.count == before + 2
    assert here.ids is None or {made.public.kid, other.public.kid} <= here.ids

    if home.custody is Custody.DEPARTMENT:
        with pytest.raises(HubError) as refused:
            home.destroy(made.public.kid)
        assert refused.value.reason is Reason.KEY_USAGE_REFUSED
        assert home.health() == here
        return
    if home.name in ("files", "pkcs11") and isinstance(home, SignerHome):
        another = mandates.mandate("key.destroy", {"key": key_name(other.public.kid), "cause": "x"})
        copies = mandates.standing()
        for mandate in (None, another, dataclasses.replace(another, approvals=()), copies):
            with pytest.raises(HubError) as unapproved:
                home.destroy(made.public.kid, mandate)
            assert unapproved.value.reason is Reason.INTENT_NOT_APPROVED
        assert home.health() == here
    ordered = mandates.mandate("key.destroy", {"key": key_name(made.public.kid), "cause": "x"})
    home.destroy(made.public.kid, ordered)
    home.destroy(made.public.kid, ordered)

    here = home.health()
    assert here.count == before + 1
    assert here.ids is None or made.public.kid not in here.ids
    with pytest.raises(HubError) as caught:
        home.open(made.public.kid, KeyAlgorithm.ES256, KeyUse.RECORD, CHAIN)
    assert caught.value.reason is Reason.KEY_UNAVAILABLE
    home.open(other.public.kid, KeyAlgorithm.ES256, KeyUse.RECORD, CHAIN)


@behind
def test_behind_a_signer_a_key_is_made_as_officers_ordered(
    home: KeyHome, mandates: Mandates
) -> None:
    """Nobody's, another one's, and one that was ordered elsewhere are not made; what was ordered
    is made once, however often it is asked for."""
    algorithm, use = KeyAlgorithm.ES256, KeyUse.RECORD

    def order(**changes: str) -> KeyOrder:
        return mandates.order(home.name, algorithm, use, SUBJECT, changes)

    good = order()
    few = dataclasses.replace(good.mandate, approvals=good.mandate.approvals[:1])
    late = mandates.mandate("key.destroy", {"key": key_name("k"), "cause": "x"})
    here = home.health()
    for wrong, rule in (
        (None, "none was shown to make a key"),
        (KeyOrder(late, 0), "no intent to make a key"),
        (KeyOrder(mandates.standing(), 0), "no intent to make a key"),
        (KeyOrder(few, 0), "QUORUM_NOT_REACHED (1 of 2)"),
        (dataclasses.replace(good, number=1), "no such key"),
        (dataclasses.replace(good, number=-1), "no such key"),
        (order(home="elsewhere"), "in another home"),
        (order(use="pdf"), "another key"),
        (order(algorithm="ES384"), "another key"),
        (order(title="其他印章"), "another key"),
        (order(authority_uscc="91330100MADEM0011P"), "another key"),
    ):
        with pytest.raises(HubError) as caught:
            home.create(algorithm, use, SUBJECT, wrong)
        assert caught.value.reason is Reason.INTENT_NOT_APPROVED, rule
        assert rule in str(caught.value.details["rule"])
    assert home.health() == here

    first = home.create(algorithm, use, SUBJECT, good)
    assert home.create(algorithm, use, SUBJECT, good) == first
    assert home.health().count == here.count + 1


@behind
def test_behind_a_signer_a_key_signs_for_its_own_seal_as_often_as_was_ordered(
    home: KeyHome, mandates: Mandates
) -> None:
    """The signer knows of the keys that it made whose they are, and counts their signatures."""
    algorithm, use = KeyAlgorithm.ES256, KeyUse.PDF
    _, other = certified(home, mandates, algorithm, use, seal=f"{SEAL}-annual")
    _, key = certified(home, mandates, algorithm, use, signatures_max=2)

    with pytest.raises(HubError) as refused:
        other.sign_document(mandates.document(other))
    assert refused.value.reason is Reason.INTENT_NOT_APPROVED
    assert refused.value.details["rule"] == "the key is another seal's"
    for _ in range(2):
        key.sign_document(mandates.document(key))
    with pytest.raises(HubError) as exhausted:
        key.sign_document(mandates.document(key))
    assert exhausted.value.reason is Reason.KEY_EXHAUSTED
    assert exhausted.value.details == {"key": key_name(key.kid), "left": "0"}


def refusal(attempt: Callable[[], object]) -> tuple[Reason, str]:
    """Reason and state or rule by which something is refused."""
    with pytest.raises(HubError) as caught:
        attempt()
    details = caught.value.details
    return caught.value.reason, str(details.get("state") or details.get("rule"))


@behind
def test_behind_a_signer_a_seal_that_was_suspended_or_revoked_signs_nothing(
    home: KeyHome, mandates: Mandates
) -> None:
    """Whoever takes over the hub afterwards finds it stopped. Resumed it signs again; the later
    decision counts, in whatever order they come, and nothing resumes what is revoked."""
    seal, cause = f"{SEAL}-stopped", {"cause": "x"}
    _, key = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF, seal=seal)

    def sign() -> bytes:
        return key.sign_document(mandates.document(key, mandates.standing(seal=seal)))

    def decided(kind: str, signed_s: int) -> Mandate:
        return mandates.mandate(kind, {"seal": seal, **cause}, signed_s)

    sign()
    suspended, resumed = decided("seal.suspend", -50), decided("seal.resume", -40)
    few = dataclasses.replace(suspended, approvals=suspended.approvals[:1])
    another = mandates.mandate("key.destroy", {"key": key_name(key.kid), **cause})
    for wrong in (few, another, dataclasses.replace(suspended, intent=b"")):
        assert refusal(partial(home.notice, wrong))[0] is Reason.INTENT_NOT_APPROVED
    sign()
    home.notice(suspended)
    assert refusal(sign) == (Reason.TRANSITION_NOT_ALLOWED, "suspended")
    home.notice(resumed)
    home.notice(suspended)
    sign()
    home.notice(decided("seal.suspend", -30))
    home.notice(resumed)
    assert refusal(sign) == (Reason.TRANSITION_NOT_ALLOWED, "suspended")
    # Told in the wrong order, as when a signer was away.
    home.notice(decided("seal.resume", -20))
    home.notice(decided("seal.suspend", -25))
    sign()
    home.notice(decided("seal.revoke", -60))
    home.notice(decided("seal.resume", -10))
    assert refusal(sign) == (Reason.TRANSITION_NOT_ALLOWED, "revoked")


@behind
@pytest.mark.parametrize(
    ("kind", "more", "state"),
    [
        ("key.retire", {}, "retired"),
        ("key.compromise", {"since": 1}, "compromised"),
        ("seal.end", {}, "ended"),
    ],
)
def test_behind_a_signer_what_has_ended_signs_nothing(
    home: KeyHome, mandates: Mandates, kind: str, more: dict[str, int], state: str
) -> None:
    """A key, or a seal; another key, of another seal, goes on."""
    seal = f"{SEAL}-{state}"
    _, key = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF, seal=seal)
    _, other = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF)
    name = seal if kind == "seal.end" else key_name(key.kid)

    home.notice(mandates.mandate(kind, {kind.partition(".")[0]: name, "cause": "x", **more}))

    work = mandates.document(key, mandates.standing(seal=seal))
    assert refusal(lambda: key.sign_document(work)) == (Reason.TRANSITION_NOT_ALLOWED, state)
    other.sign_document(mandates.document(other, mandates.standing(uses_max=100)))


@behind
def test_behind_a_signer_an_intent_that_an_officer_rejected_allows_nothing(
    home: KeyHome, mandates: Mandates
) -> None:
    """One officer's word is enough, if it is a rejection, of this intent, and not the
    requester's."""
    _, key = certified(home, mandates, KeyAlgorithm.ES256, KeyUse.PDF)
    standing, other = mandates.standing(uses_max=8), mandates.standing(uses_max=9)
    for wrong in (
        standing.approvals[0],
        mandates.rejection("ann", standing),
        mandates.rejection("bob", other),
        mandates.rejection("bob", standing, signer="cat"),
        "e30.e30.AAAA",
    ):
        found = refusal(partial(home.notice, standing, wrong))
        assert found[0] is Reason.INTENT_NOT_APPROVED
    key.sign_document(mandates.document(key, standing))

    home.notice(standing, mandates.rejection("bob", standing))

    found = refusal(lambda: key.sign_document(mandates.document(key, standing)))
    assert found == (Reason.INTENT_CLOSED, "rejected")
    key.sign_document(mandates.document(key, other))


@behind
def test_keys_of_a_seal_are_made_as_it_was_applied_for(home: KeyHome, mandates: Mandates) -> None:
    """Each under its number, which is of that use and no other."""
    keys = [
        {"use": use.value, "algorithm": "ES256", "home": home.name}
        for use in (KeyUse.RECORD, KeyUse.PDF)
    ]
    members = {
        "seal": SEAL,
        "authority": USCC,
        "title": SUBJECT.common_name,
        "seal_type": 1,
        "keys": keys,
    }
    applied = mandates.mandate("seal.apply", members)

    record, pdf = (
        home.create(KeyAlgorithm.ES256, use, SUBJECT, KeyOrder(applied, number))
        for number, use in enumerate((KeyUse.RECORD, KeyUse.PDF))
    )

    assert record.public.kid != pdf.public.kid
    for number, use in ((0, KeyUse.PDF), (1, KeyUse.RECORD), (2, KeyUse.PDF)):
        with pytest.raises(HubError) as caught:
            home.create(KeyAlgorithm.ES256, use, SUBJECT, KeyOrder(applied, number))
        assert caught.value.reason is Reason.INTENT_NOT_APPROVED


@pytest.mark.parametrize("kid", ["", "x" * 43, "../../etc/passwd", "a/b", "é"])
def test_an_unknown_key_is_unavailable(home: KeyHome, kid: str) -> None:
    """Whatever the text: it names no file and no object."""
    with pytest.raises(HubError) as caught:
        home.open(kid, KeyAlgorithm.ES256, KeyUse.RECORD, ())

    assert caught.value.reason is Reason.KEY_UNAVAILABLE


@direct
def test_threads_sign_with_one_key(home: KeyHome) -> None:
    """Four threads at once, each signature its own bytes'; ECDSA always with low s."""
    public, key = opened(home, KeyAlgorithm.ES256, KeyUse.RECORD)
    header = header_segment(key)
    texts = [f"{header}.{number:04d}".encode() for number in range(64)]

    with ThreadPoolExecutor(4) as pool:
        signatures = list(pool.map(lambda data: key.sign(data, SEAL_TYP), texts))

    half = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551 // 2
    for data, signature in zip(texts, signatures, strict=True):
        public.verify(data, signature)
        assert int.from_bytes(signature[32:]) <= half


def test_sm2_has_no_registered_name_in_jose() -> None:
    """Its object identifier stands in the header (formats.md §4)."""
    assert JOSE_NAMES[KeyAlgorithm.SM2] == "urn:oid:1.2.156.10197.1.501"


@direct
def test_a_key_shows_itself_nowhere(home: KeyHome) -> None:
    """Only thumbprint and use."""
    _, key = opened(home, KeyAlgorithm.ES256, KeyUse.RECORD)

    kind = "ServiceKey" if home.name == "service-province" else "SealKey"
    assert repr(key) == f"{kind}({key.kid!r}, record)"
