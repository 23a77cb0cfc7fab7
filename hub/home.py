"""A hub's own keys, made once at `init`, opened at each start; and the stores beside its database.

Each key signs one format and nothing else. All lie in one folder, encrypted under the passphrase
file, mode 0600; none ever enters the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from hub.clock import now_us
from hub.config import Config
from hub.domain.certificate import Custody
from hub.domain.crypto import CryptoProfile
from hub.domain.seal_key import KeyAlgorithm
from hub.errors import HubError, Reason
from hub.ledger.checkpoints import FileHead, LogKey
from hub.ledger.ports import ExternalHead
from hub.ledger.s3_head import HEAD_BYTES_MAX, S3Head
from hub.proof import sm2
from hub.proof.jose import (
    ACCESS_TYP,
    STATUS_TYP,
    Algorithm,
    RegisteredKey,
    Signer,
    es256_signer,
    sm2_signer,
)
from hub.proof.reasons import ProofError
from hub.proof.x509.chain import read_x509_bundle
from hub.seal.certified import Anchors
from hub.seal.homes.conversation import Evidence, NoEvidence
from hub.seal.homes.process import SignerProcess, check_home
from hub.seal.homes.signers import SignerHome
from hub.seal.keys import KeyHome, KeysHere
from hub.seal.signer_process.process import Settings
from hub.storage.blobs import BlobStore, FolderBlobs, S3Blobs
from hub.storage.encryption import Keyring
from hub.storage.key_files import read_key_file, write_key_file
from hub.storage.s3 import Bucket, S3Settings

if TYPE_CHECKING:
    from hub.seal.documents.time_stamps import TimeStampService

_T = TypeVar("_T")

_TOKEN: Final = "token"  # noqa: S105 - the purpose of a key
_STATUS: Final = "status"
_PASSPHRASE_MODE_MAX: Final = 0o037


@dataclass(frozen=True, slots=True, repr=False)
class TwinKey:
    """An SM2 key beside the ES256 one of the same use."""

    signer: Signer
    key: RegisteredKey


@dataclass(frozen=True, slots=True, repr=False)
class HubKeys:
    """Everything a running hub signs and encrypts with, seals apart."""

    keyring: Keyring
    log: LogKey
    token: Signer
    token_key: RegisteredKey
    status: Signer
    status_key: RegisteredKey
    # In the profile `gm`: what signs the SM2 twins.
    token_twin: TwinKey | None = None
    status_twin: TwinKey | None = None


def make_keys(config: Config) -> bool:
    """Make the passphrase and every key that is absent. Returns whether anything was made.

    An existing key is never touched, so running it again is safe at every point. Raises
    HubError(FILE_UNREADABLE) where the log has begun and a key is lost: another key in its place
    could open and continue nothing.
    """
    has_begun = has_log(config)
    folder = config.path(config.keys.folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase_file = config.path(config.keys.passphrase_file)
    made = False
    if has_begun:
        _check_complete(folder, passphrase_file, _twins(config))
    if not passphrase_file.exists():
        passphrase_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Renamed when complete: keys made under half a passphrase could never be opened again.
        draft = passphrase_file.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(32) + "\n", encoding="ascii")
        draft.rename(passphrase_file)
        made = True
    passphrase, profile = _passphrase(passphrase_file), config.crypto.profile
    if not (folder / "holder-index.key").exists():
        Keyring.create(folder, passphrase, profile)
        made = True
    if not (folder / "log.key").exists():
        LogKey.create(folder / "log.key", config.hub.origin, passphrase, profile)
        made = True
    for purpose in (_TOKEN, _STATUS):
        path = folder / f"{purpose}.key"
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            secret = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
            write_key_file(path, secret, purpose=purpose, passphrase=passphrase, profile=profile)
            made = True
    for purpose in _twins(config):
        path = folder / f"{purpose}.key"
        if not path.exists():
            secret = sm2.PrivateKey.generate().to_pkcs8()
            write_key_file(path, secret, purpose=purpose, passphrase=passphrase, profile=profile)
            made = True
    return made


def _twins(config: Config) -> tuple[str, ...]:
    """The purposes of the SM2 keys of this profile."""
    is_gm = config.crypto.profile is CryptoProfile.GM
    return (f"{_TOKEN}-sm2", f"{_STATUS}-sm2") if is_gm else ()


def signer_settings(config: Config) -> Settings:
    """What the signer process is given: names of files, no secret."""
    token = config.seal.pkcs11
    return Settings(
        folder=str(config.path(config.seal.signer_folder) / str(config.hub.replica)),
        keys_folder=str(config.path(config.keys.folder) / "seals"),
        passphrase_file=str(config.path(config.keys.passphrase_file)),
        maker_ca=str(config.path(config.tls.sm2_maker_ca)),
        algorithms={one.value: str(days) for one, days in config.seal.algorithms.days.items()},
        base=str(config.home),
        token_uri=token.uri,
        sm2_generate=token.sm2_generate,
        sm2_sign=token.sm2_sign,
        sm2_signs=token.sm2_signs,
        profile=config.crypto.profile.value,
    )


def check_key_homes(config: Config) -> dict[str, Callable[[], KeysHere]]:
    """For each home of seals' keys what tells which it holds, whether a hub runs or not; it raises
    HubError as `KeyHome.health`."""
    settings = signer_settings(config)
    names = ("files", "pkcs11") if settings.token_uri else ("files",)
    checks: dict[str, Callable[[], KeysHere]] = (
        {name: partial(check_home, settings, name) for name in names}
        if config.seal.signer == "process"
        else {name: home.health for name, home in settings.homes().items()}
    )
    remote = _remote_homes(config, "", NoEvidence())
    return checks | {name: partial(_checked, home) for name, home in remote.items()}


def key_homes(config: Config, keys: HubKeys, evidence: Evidence) -> dict[str, KeyHome]:
    """The homes of seals' keys: in this process, as the signer process keeps them, and those of
    departments."""
    settings = signer_settings(config)
    log_key = keys.log.verifier.text()
    remote = _remote_homes(config, log_key, evidence)
    if config.seal.signer != "process":
        return settings.homes() | remote
    process = SignerProcess(settings, config.hub.origin, config.hub.region, log_key, evidence)
    every = frozenset(KeyAlgorithm)
    homes: dict[str, KeyHome] = {"files": SignerHome(process, "files", Custody.HUB_FILE, every)}
    if settings.token_uri:
        has_sm2 = bool(settings.sm2_generate and settings.sm2_sign)
        can = every if has_sm2 else every - {KeyAlgorithm.SM2}
        homes["pkcs11"] = SignerHome(process, "pkcs11", Custody.HUB_HSM, can)
    return homes | remote


def _remote_homes(config: Config, log_key: str, evidence: Evidence) -> dict[str, KeyHome]:
    """The homes that departments and services keep. Nothing is asked of them yet."""
    homes = _service_homes(config)
    if not config.seal.remote:
        return homes
    # Only who has such a home pays for loading gRPC's client.
    from hub.seal.homes.remote import RemoteAddress, RemoteSigner  # noqa: PLC0415

    for one in config.seal.remote:
        name = f"remote-{one.name}"
        place = RemoteAddress(
            name,
            one.address,
            config.path(one.ca),
            config.path(one.certificate),
            config.path(one.key),
            one.timeout_s,
        )
        signer = RemoteSigner(place, config.hub.origin, config.hub.region, log_key, evidence)
        every = frozenset(KeyAlgorithm)
        homes[name] = SignerHome(signer, name, Custody.DEPARTMENT, every, called="remote")
    return homes


def _service_homes(config: Config) -> dict[str, KeyHome]:
    if not config.seal.service:
        return {}
    # Only who has such a home pays for loading an HTTP client.
    from hub.seal.homes.service import ServiceAddress, ServiceHome  # noqa: PLC0415

    homes: dict[str, KeyHome] = {}
    for one in config.seal.service:
        ca, certificate, key = [
            config.path(Path(file)) if file else None for file in (one.ca, one.certificate, one.key)
        ]
        place = ServiceAddress(one.url, ca, certificate, key, one.timeout_s)
        name = f"service-{one.name}"
        homes[name] = ServiceHome(place, name, Custody(one.custody))
    return homes


def _checked(home: KeyHome) -> KeysHere:
    try:
        return home.health()
    finally:
        home.close()


def has_log(config: Config) -> bool:
    """Whether a log has begun: its external head stands. Raises HubError(BLOBS_UNAVAILABLE)."""
    if config.head_file is not None:
        return config.head_file.exists()
    bucket, name = open_bucket(config, config.ledger.head)
    try:
        return bucket.get(name, bytes_max=HEAD_BYTES_MAX) is not None
    finally:
        bucket.close()


def open_head(config: Config) -> ExternalHead:
    """The external head that the configuration names. Raises HubError(FILE_UNREADABLE)."""
    if config.head_file is not None:
        return FileHead(config.head_file)
    return S3Head(*open_bucket(config, config.ledger.head))


def open_blobs(config: Config) -> BlobStore:
    """The store of documents that the configuration names. Raises HubError(FILE_UNREADABLE)."""
    if config.blobs_folder is not None:
        return FolderBlobs(config.blobs_folder)
    bucket, prefix = open_bucket(config, config.blobs.url)
    return S3Blobs(bucket, f"{prefix}/" if prefix else "")


def open_bucket(config: Config, url: str) -> tuple[Bucket, str]:
    """The bucket of `s3://bucket/name`, and the name. Nothing is asked of the store yet."""
    bucket, _, name = url.removeprefix("s3://").partition("/")
    section = config.s3
    settings = S3Settings(
        endpoint=section.endpoint,
        region=section.region,
        credentials_file=config.path(section.credentials_file),
        ca_file=config.path(Path(section.ca_file)) if section.ca_file else None,
    )
    return Bucket(settings, bucket), name


def open_seal_anchors(config: Config) -> Anchors:
    """Who is believed to certify keys of seals. Those in SM2 may be absent.

    Raises HubError(FILE_UNREADABLE).
    """
    tls = config.tls
    sm2_seals, makers = (
        _read_anchors(path, read_x509_bundle) if (path := config.path(file)).is_file() else ()
        for file in (tls.sm2_seal_ca, tls.sm2_maker_ca)
    )
    seals = _read_anchors(config.path(tls.seal_ca), x509.load_pem_x509_certificates)
    return Anchors(seals, sm2_seals, makers)


def open_time_stamps(config: Config) -> TimeStampService | None:
    """The time stamping service that the configuration names; None where it names none.

    Raises HubError(FILE_UNREADABLE).
    """
    if not config.seal.tsa_url:
        return None
    # Only who stamps pays for loading its libraries.
    from hub.seal.documents.time_stamps import TimeStampService  # noqa: PLC0415

    path = config.path(config.seal.tsa_anchors)
    anchors = tuple(_read_anchors(path, x509.load_pem_x509_certificates))
    return TimeStampService(config.seal.tsa_url, anchors, now_us, config.seal.tsa_policy)


def _read_anchors(path: Path, read: Callable[[bytes], _T]) -> _T:
    try:
        return read(path.read_bytes())
    except (OSError, ValueError) as error:
        rule = getattr(error, "strerror", None) or "is no PEM bundle of certificates"
        raise HubError(Reason.FILE_UNREADABLE, what="anchor", path=path, rule=rule) from error


def _check_complete(folder: Path, passphrase_file: Path, twins: tuple[str, ...]) -> None:
    names = ("key-encryption", "holder-index", "log", _TOKEN, _STATUS, *twins)
    for path in (passphrase_file, *(folder / f"{name}.key" for name in names)):
        if not path.exists():
            rule = "is missing, but the log has begun: restore it from a backup"
            raise HubError(Reason.FILE_UNREADABLE, what="key", path=path, rule=rule)


def open_keys(config: Config) -> HubKeys:
    """The keys of a hub. Raises HubError(FILE_UNREADABLE) that names the file and what to do."""
    folder = config.path(config.keys.folder)
    passphrase = _passphrase(config.path(config.keys.passphrase_file))
    origin = config.hub.origin
    token, token_key = _signer(folder, _TOKEN, ACCESS_TYP, origin, passphrase)
    status, status_key = _signer(folder, _STATUS, STATUS_TYP, origin, passphrase)
    keyring = Keyring.open(folder, passphrase, config.crypto.profile)
    twins = [
        _twin(folder, purpose, typ, origin, passphrase)
        for purpose, typ in zip(_twins(config), (ACCESS_TYP, STATUS_TYP), strict=False)
    ]
    return HubKeys(
        keyring=keyring,
        log=LogKey.open(folder / "log.key", origin, passphrase),
        token=token,
        token_key=token_key,
        status=status,
        status_key=status_key,
        token_twin=twins[0] if twins else None,
        status_twin=twins[1] if twins else None,
    )


def _signer(
    folder: Path, purpose: str, typ: str, origin: str, passphrase: bytes
) -> tuple[Signer, RegisteredKey]:
    secret = read_key_file(folder / f"{purpose}.key", purpose=purpose, passphrase=passphrase)
    key = load_der_private_key(secret, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey), "written by make_keys"
    signer = es256_signer(key)
    return signer, RegisteredKey(signer.kid, Algorithm.ES256, typ, origin, key.public_key())


def _twin(folder: Path, purpose: str, typ: str, origin: str, passphrase: bytes) -> TwinKey:
    path = folder / f"{purpose}.key"
    secret = read_key_file(path, purpose=purpose, passphrase=passphrase)
    try:
        key = sm2.PrivateKey.from_pkcs8(secret)
    except ProofError as error:
        rule = f"is an SM2 key that cannot be used here: {error.reason.value}"
        raise HubError(Reason.FILE_UNREADABLE, what="key", path=path, rule=rule) from error
    signer = sm2_signer(key)
    return TwinKey(signer, RegisteredKey(signer.kid, Algorithm.SM2, typ, origin, key.public))


def _passphrase(path: Path) -> bytes:
    try:
        if path.stat().st_mode & _PASSPHRASE_MODE_MAX:
            raise HubError(
                Reason.FILE_UNREADABLE,
                what="passphrase",
                path=path,
                rule="others may reach it; run: chmod 600",
            )
        return path.read_bytes().strip()
    except OSError as error:
        raise HubError(
            Reason.FILE_UNREADABLE, what="passphrase", path=path, rule=error.strerror
        ) from error
