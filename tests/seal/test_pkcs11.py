"""A token that fails: sessions lost, token pulled out, PIN wrong or locked; SM2 by vendor numbers.

What every home does stands in `contracts/test_key_homes`; here is what only a token can do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pkcs11
import pytest
from cryptography.x509 import load_der_x509_certificate
from pkcs11 import Attribute, ObjectClass, TokenFlag

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm, KeyUse
from hub.errors import HubError, Reason
from hub.proof.jose import SEAL_TYP
from hub.proof.reasons import ProofReason, Verdict
from hub.proof.reports.report import Kind
from hub.proof.run import Evidence
from hub.proof.trust import Trust
from hub.proof.verify import verify
from hub.seal.algorithms import Subject
from hub.seal.documents.cms import CmsForm
from hub.seal.documents.pdf_seal import prepare_pdf
from hub.seal.homes.pkcs11 import PAUSE_MOST_S, Pkcs11Keys, Sm2Mechanisms, TokenUri
from hub.seal.keys import SealKey, header_segment
from tests import softhsm
from tests.pdf_documents import PLACE, page, picture
from tests.seal import sm2_device
from tests.seal.mandates import Mandates

SUBJECT = Subject("印章", "市场监督管理局", "91330100MADEM0022M")
ES256 = KeyAlgorithm.ES256


class Clock:
    """Seconds that a test turns on."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> softhsm.SoftToken:
    made = softhsm.SoftToken(tmp_path)
    try:
        made.create()
    except softhsm.SoftHsmAbsent as absent:
        pytest.skip(str(absent))
    monkeypatch.setenv("SOFTHSM2_CONF", str(made.configuration))
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connects() -> list[str]:
    """Each time that the home goes to the module to log in."""
    return []


@pytest.fixture
def keys(token: softhsm.SoftToken, clock: Clock, connects: list[str]) -> Iterator[Pkcs11Keys]:
    def load(path: str) -> object:
        connects.append(path)
        return pkcs11.lib(path)

    home = Pkcs11Keys(TokenUri.parse(token.uri, token.folder), load=load, monotonic=clock)  # type: ignore[arg-type]
    yield home
    home.close()


def made(keys: Pkcs11Keys) -> tuple[SealKey, Callable[[], None]]:
    """A key, and a signature by it that verifies."""
    public = keys.create(ES256, KeyUse.RECORD, SUBJECT).public
    key = keys.open(public.kid, ES256, KeyUse.RECORD, ())
    data = f"{header_segment(key)}.e30".encode()
    return key, lambda: public.verify(data, key.sign(data, SEAL_TYP))


def reason_of(attempt: Callable[[], object]) -> Reason:
    with pytest.raises(HubError) as caught:
        attempt()
    return caught.value.reason


def test_the_private_half_cannot_be_read(keys: Pkcs11Keys) -> None:
    """Made inside, sensitive, not extractable; the token itself refuses its value."""
    made(keys)
    assert keys.custody is Custody.HUB_HSM
    assert keys._session is not None
    (private,) = keys._session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY})

    assert private[Attribute.SENSITIVE] is True
    assert private[Attribute.EXTRACTABLE] is False
    assert private[Attribute.LABEL] == "sealway record"
    with pytest.raises(pkcs11.AttributeSensitive):
        _ = private[Attribute.VALUE]


def test_a_lost_session_heals_within_the_call(keys: Pkcs11Keys, connects: list[str]) -> None:
    """The device forgot every session: one more log-in, and nobody notices."""
    _, sign = made(keys)
    sign()
    before = len(connects)

    softhsm.close_all_sessions()
    sign()

    assert len(connects) == before + 1


def test_a_token_pulled_out_is_unavailable_and_heals_when_it_is_back(
    keys: Pkcs11Keys, token: softhsm.SoftToken, clock: Clock, connects: list[str]
) -> None:
    """Within the pause the module is left alone; after it the call that comes first heals."""
    _, sign = made(keys)
    token.remove()
    assert reason_of(sign) is Reason.KEY_UNAVAILABLE
    tried = len(connects)
    assert reason_of(sign) is Reason.KEY_UNAVAILABLE
    assert len(connects) == tried

    token.put_back()
    assert reason_of(sign) is Reason.KEY_UNAVAILABLE
    assert len(connects) == tried
    clock.now += PAUSE_MOST_S
    sign()

    assert len(connects) == tried + 1


def test_the_pause_grows_to_its_end(
    keys: Pkcs11Keys, token: softhsm.SoftToken, clock: Clock
) -> None:
    """From a tenth of a second, doubling, to half a minute."""
    token.remove()
    pauses = []
    for _ in range(12):
        assert reason_of(keys.health) is Reason.KEY_UNAVAILABLE
        pauses.append(round(keys._not_before - clock.now, 3))
        clock.now = keys._not_before

    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == PAUSE_MOST_S


def test_a_wrong_pin_is_not_tried_twice(
    keys: Pkcs11Keys, token: softhsm.SoftToken, connects: list[str], clock: Clock
) -> None:
    """Its own reason; the token is asked again only when the file was written anew."""
    token.write_pin("not the PIN")
    assert reason_of(keys.health) is Reason.KEY_PIN_WRONG
    clock.now += 3600
    assert reason_of(keys.health) is Reason.KEY_PIN_WRONG
    assert len(connects) == 1

    token.write_pin(token.pin)

    assert keys.health().count == 0


def test_a_locked_pin_has_its_own_reason(tmp_path: Path) -> None:
    """Whether the token says so when asked, or only when one logs in; and the last try is left."""
    token = softhsm.SoftToken(tmp_path)
    token.write_pin("1234")
    uri = TokenUri(Path("/module"), token.pin_file, "t", None)
    for device, reason, logins in (
        (sm2_device.Device(fails=[pkcs11.PinLocked()]), Reason.KEY_PIN_LOCKED, 1),
        (sm2_device.Device(flags=int(TokenFlag.USER_PIN_LOCKED)), Reason.KEY_PIN_LOCKED, 0),
        (sm2_device.Device(flags=int(TokenFlag.USER_PIN_FINAL_TRY)), Reason.KEY_PIN_WRONG, 0),
    ):
        keys = Pkcs11Keys(uri, load=device)
        assert reason_of(keys.health) is reason
        device.flags = 0
        assert reason_of(keys.health) is reason
        assert device.logins == logins

        token.write_pin("12345")
        assert keys.health().count == 0


@pytest.mark.parametrize("fault", ["mode", "absent", "binary"])
def test_a_pin_that_cannot_be_read_safely_is_not_used(
    keys: Pkcs11Keys, token: softhsm.SoftToken, connects: list[str], fault: str
) -> None:
    """Open to others, gone, or no text."""
    if fault == "mode":
        token.pin_file.chmod(0o640)
    elif fault == "absent":
        token.pin_file.unlink()
    else:
        token.pin_file.write_bytes(b"\xff\xfe")

    assert reason_of(keys.health) is Reason.KEY_UNAVAILABLE
    assert connects == []


def test_a_module_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """No loader's error escapes."""
    token = softhsm.SoftToken(tmp_path)
    token.write_pin("1234")

    keys = Pkcs11Keys(TokenUri(tmp_path / "none.so", token.pin_file, "t", None))

    assert reason_of(keys.health) is Reason.KEY_UNAVAILABLE


def test_a_token_without_sm2_is_found_out_when_the_first_key_is_made(
    keys: Pkcs11Keys,
) -> None:
    """SoftHSM makes keys on the curve and signs them by ECDSA: refused, and nothing stays."""
    keys.sm2_mechanisms = Sm2Mechanisms(0x1040, 0x1041, "digest")

    assert (
        reason_of(lambda: keys.create(KeyAlgorithm.SM2, KeyUse.OFD, SUBJECT))
        is Reason.KEY_SIGNATURE_WRONG
    )
    assert keys.health().count == 0


@pytest.mark.parametrize(
    ("sign", "signs"),
    [(sm2_device.SIGN_MESSAGE, "message"), (sm2_device.SIGN_DIGEST, "digest")],
)
def test_a_vendor_signs_sm2_under_its_own_numbers(tmp_path: Path, sign: int, signs: str) -> None:
    """Given the message or its digest; what comes out verifies by libcrypto."""
    token = softhsm.SoftToken(tmp_path)
    token.write_pin("1234")
    mechanisms = Sm2Mechanisms(sm2_device.GENERATE, sign, signs)  # type: ignore[arg-type]
    uri = TokenUri(Path("/module"), token.pin_file, "t", None)
    keys = Pkcs11Keys(uri, mechanisms, load=sm2_device.Device())

    public = keys.create(KeyAlgorithm.SM2, KeyUse.RECORD, SUBJECT).public
    key = keys.open(public.kid, KeyAlgorithm.SM2, KeyUse.RECORD, ())
    data = f"{header_segment(key)}.e30".encode()

    public.verify(data, key.sign(data, SEAL_TYP))
    keys.destroy(public.kid)
    assert keys.health().count == 0


def test_a_vendors_key_seals_a_pdf_with_sm2(tmp_path: Path) -> None:
    """The signature is in the form of CMS, and by the certificate's key."""
    token, mandates = softhsm.SoftToken(tmp_path), Mandates()
    token.write_pin("1234")
    uri = TokenUri(Path("/module"), token.pin_file, "t", None)
    mechanisms = Sm2Mechanisms(sm2_device.GENERATE, sm2_device.SIGN_DIGEST, "digest")
    keys = Pkcs11Keys(uri, mechanisms, load=sm2_device.Device())
    public = keys.create(KeyAlgorithm.SM2, KeyUse.PDF, SUBJECT).public
    chain = (mandates.certificate(public),)
    key = keys.open(public.kid, KeyAlgorithm.SM2, KeyUse.PDF, chain)
    form, time = CmsForm.of(key), datetime.fromtimestamp(mandates.now, UTC)

    document = prepare_pdf(page(), PLACE, picture(), form).seal(key, form, time)

    pinned = (load_der_x509_certificate(mandates.sm2.der),)
    trust = Trust("hub", "330100", pdf_anchors=pinned)
    report = verify(document, Kind.PDF, trust, Evidence(now=mandates.now))
    assert (report.verdict, report.reason) == (Verdict.CANNOT_CHECK, ProofReason.NO_CRL)


def test_numbers_that_the_module_does_not_know_make_no_key(tmp_path: Path) -> None:
    """The home has no such algorithm."""
    token = softhsm.SoftToken(tmp_path)
    token.write_pin("1234")
    uri = TokenUri(Path("/module"), token.pin_file, "t", None)
    keys = Pkcs11Keys(uri, Sm2Mechanisms(1, 2, "digest"), load=sm2_device.Device())

    assert (
        reason_of(lambda: keys.create(KeyAlgorithm.SM2, KeyUse.OFD, SUBJECT))
        is Reason.ALGORITHM_NOT_HERE
    )


def test_a_token_is_named_by_rfc_7512(tmp_path: Path) -> None:
    """Percent-encoded names, relative paths on the home, PIN only as a file."""
    uri = TokenUri.parse(
        "pkcs11:token=%E5%8D%B0%E7%AB%A0;serial=0123?module-path=/m.so&pin-source=file:pin",
        tmp_path,
    )

    assert (uri.label, uri.serial, uri.name) == ("印章", b"0123", "印章")
    assert (uri.module, uri.pin_file) == (Path("/m.so"), tmp_path / "pin")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token=a?module-path=/m&pin-source=p",
        "pkcs11:?module-path=/m&pin-source=p",
        "pkcs11:token=a",
        "pkcs11:token=a?module-path=/m",
        "pkcs11:token=a?pin-source=p",
        "pkcs11:token=a?module-path=/m&pin-value=1234",
        "pkcs11:token=a?module-path=/m&pin-source=p&pin-value=1234",
        "pkcs11:token=a;token=b?module-path=/m&pin-source=p",
        "pkcs11:token=a;object=o?module-path=/m&pin-source=p",
        "pkcs11:token=?module-path=/m&pin-source=p",
        "pkcs11:token=%FF?module-path=/m&pin-source=p",
        "pkcs11:token=a?module-path=/m&pin-source=p" + "x" * 2048,
    ],
)
def test_a_name_that_is_no_token_or_carries_a_pin_is_refused(text: str, tmp_path: Path) -> None:
    """Nothing is guessed, and no PIN stands in a configuration."""
    with pytest.raises(ValueError):
        TokenUri.parse(text, tmp_path)
