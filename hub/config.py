"""Configuration: this file is the reference.

Read from `hub.toml`; an unknown field is refused. Secrets never stand in it: it names the files
that hold them. Relative paths are relative to the file.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import ErrorDetails

from hub.domain.crypto import CryptoProfile
from hub.domain.schema_rules import SchemaFault, schema_text
from hub.domain.seal_key import SEALING_DAYS, KeyAlgorithm, SealingDays
from hub.errors import HubError, Reason, Violation


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class HubSection(_Section):
    """Which hub this is. Origin and region stand in everything it signs and never change."""

    # Name of the log and `aud` of every request: a DNS name, ASCII without "+", fixed at `init`.
    origin: Annotated[str, Field(min_length=3, max_length=255, pattern=r"^[\x21-\x2a\x2c-\x7e]+$")]
    # Six digits of GB/T 2260.
    region: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    # Which of several hub processes on one PostgreSQL database this is: another number for each.
    replica: Annotated[int, Field(ge=0, le=15)] = 0


# Host and port; an address of IPv6 stands in brackets.
_ADDRESS: Final = r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$"


class GrpcSection(_Section):
    """The gRPC port. Always mutual TLS."""

    # Host and port; port 0 lets the system choose.
    address: Annotated[str, Field(pattern=_ADDRESS)] = "127.0.0.1:7443"
    # Seconds after which a connection is closed gracefully, so that a client presents its
    # certificate again.
    connection_age_max_s: Annotated[int, Field(ge=10, le=86_400)] = 600


class HttpSection(_Section):
    """Public, signed things over plain HTTP: status lists, type metadata, checkpoint, metrics.

    Put a TLS proxy before it where it leaves the machine.
    """

    # Host and port; empty switches it off.
    address: Annotated[str, Field(pattern=_ADDRESS + r"|^$")] = "127.0.0.1:7480"


class DatabaseSection(_Section):
    """Where everything is kept."""

    # `sqlite:///path/to/hub.db` or `postgresql://user@host/name`; a password comes from the
    # PostgreSQL password file, never from here.
    url: str = "sqlite:///data/hub.db"


# Bucket and name of S3; a name has no part that a path would read as another.
_S3_BUCKET: Final = r"^s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_S3_OBJECT: Final = _S3_BUCKET + r"(/[A-Za-z0-9][A-Za-z0-9._-]*)+$"


_S3_ENDPOINT: Final = (
    r"^$|^https://[A-Za-z0-9.:\[\]-]+$|^http://(127\.0\.0\.1|\[::1\]|[a-z0-9-]+)(:[0-9]{1,5})?$"
)


class BlobsSection(_Section):
    """Where the documents of certificates are kept, encrypted."""

    # `file:folder`, `file:///folder` or `s3://bucket` or `s3://bucket/prefix`.
    url: Annotated[str, Field(pattern=r"^file:.+|" + _S3_BUCKET + r"(/[A-Za-z0-9._-]+)*$")] = (
        "file:data/documents"
    )


class S3Section(_Section):
    """The S3 store that `blobs.url` and `ledger.head` may name."""

    # Base address. Plain HTTP only to this machine or to a name without a dot, a neighbour in the
    # same container network: documents are encrypted and credentials are never sent.
    endpoint: Annotated[str, Field(pattern=_S3_ENDPOINT)] = ""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    # Two lines, access key and secret key; mode 0600.
    credentials_file: Path = Path("secrets/s3")
    # Anchors of the store's TLS certificate, a PEM bundle; empty: those of the system.
    ca_file: str = ""


class LedgerSection(_Section):
    """The log."""

    # What holds the newest signed checkpoint outside the database: a file, or `s3://bucket/name`,
    # an object replaced by compare-and-swap. Losing it refuses the next start; rolling it back
    # defeats the protection against restored backups.
    head: Annotated[str, Field(min_length=1)] = "head/checkpoint"
    # Milliseconds during which entries are collected into one epoch: larger is cheaper, slower.
    window_ms: Annotated[float, Field(ge=0, le=1000)] = 20.0
    # Most entries of one epoch; 1 is for comparison only.
    members_max: Annotated[int, Field(ge=1, le=4096)] = 256
    # Seconds without an entry after which an idle hub writes a heartbeat.
    heartbeat_s: Annotated[int, Field(ge=1, le=3600)] = 30
    # Seconds between two time stamps over checkpoints, where `seal.tsa_url` names a service; what
    # was sealed before a key was stolen stays valid by them. 0: the hub asks for none.
    stamp_every_s: Annotated[int, Field(ge=0, le=604_800)] = 3600
    # Seconds without a new time stamp after which nothing is sealed any more; 0: sealing goes on.
    stamp_age_max_s: Annotated[int, Field(ge=0, le=2_592_000)] = 0


class CryptoSection(_Section):
    """What the hub encrypts and looks up with."""

    # `international` (AES-256, SHA-256) or `gm` (SM4, SM3, SM2 twins of tokens, SM2 on records and
    # PDF), fixed at `init`: keys are made for it, and what one has stored no other opens.
    profile: CryptoProfile = CryptoProfile.INTERNATIONAL


class KeysSection(_Section):
    """The hub's own keys, encrypted at rest."""

    folder: Path = Path("keys")
    # Mode 0600; keep it on another volume than the keys where you can.
    passphrase_file: Path = Path("keys/passphrase")


class TlsSection(_Section):
    """The gRPC server's certificate and whom it trusts."""

    certificate: Path = Path("tls/server.pem")
    key: Path = Path("tls/server.key")
    # Bundle of the authorities that issue client certificates.
    client_ca: Path = Path("tls/client-ca.pem")
    # Anchors of seal certificates, a PEM bundle.
    seal_ca: Path = Path("tls/seal-ca.pem")
    sm2_seal_ca: Path = Path("tls/sm2-seal-ca.pem")
    sm2_maker_ca: Path = Path("tls/sm2-maker-ca.pem")


# The first and the last day, both included, or `..` where no end is known.
_DAYS: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}/([0-9]{4}-[0-9]{2}-[0-9]{2}|\.\.)$"
_Days: TypeAlias = Annotated[str, Field(pattern=_DAYS)]


class AlgorithmsSection(_Section):
    """From when to when each algorithm may be used for new seals; old ones stay verifiable.

    A day before the first or after the last refuses keys and seals with ALGORITHM_RETIRED.
    """

    ES256: _Days = str(SEALING_DAYS[KeyAlgorithm.ES256])
    ES384: _Days = str(SEALING_DAYS[KeyAlgorithm.ES384])
    Ed25519: _Days = str(SEALING_DAYS[KeyAlgorithm.ED25519])
    PS256: _Days = str(SEALING_DAYS[KeyAlgorithm.PS256])
    SM2: _Days = str(SEALING_DAYS[KeyAlgorithm.SM2])

    @field_validator("*")
    @classmethod
    def _known_days(cls, text: str) -> str:
        try:
            SealingDays.parse(text)
        except ValueError as error:
            raise SchemaFault(
                "two days that exist, the first not after the last: 2026-01-01/2035-12-31",
                "应为两个有效日期，先后有序：2026-01-01/2035-12-31",
            ) from error
        return text

    @property
    def days(self) -> dict[KeyAlgorithm, SealingDays]:
        """The table in the words of the seals."""
        return {one: SealingDays.parse(getattr(self, one.value)) for one in KeyAlgorithm}


# HTTPS, or plain HTTP to this machine: who stands between could not forge a time stamp, but could
# read what is being sealed when.
TSA_URL: Final = (
    r"^$|^(https://[A-Za-z0-9.:\[\]-]+|http://(127\.0\.0\.1|\[::1\]|localhost)(:[0-9]{1,5})?)"
    r"(/[A-Za-z0-9._~/-]*)?$"
)


class TokenUriSection(_Section):
    """A PKCS#11 token as a home of keys; needs `seal.signer = "process"`."""

    # The token by RFC 7512, for instance
    # `pkcs11:token=sealway?module-path=/usr/lib/vendor.so&pin-source=file:secrets/pin`; the PIN
    # stands in that file, mode 0600. Empty: no token.
    uri: Annotated[str, Field(max_length=2048, pattern=r"^$|^pkcs11:")] = ""
    # The numbers of the vendor's mechanisms that make SM2 keys and sign with them; 0: none.
    sm2_generate: Annotated[int, Field(ge=0, lt=2**32)] = 0
    sm2_sign: Annotated[int, Field(ge=0, lt=2**32)] = 0
    # What that mechanism is given: `message`, or `digest` for e = SM3(Z ‖ M) of GB/T 32918.2 §6.1.
    sm2_signs: Annotated[str, Field(pattern=r"^(message|digest)$")] = "message"


class RemoteSignerSection(_Section):
    """A signer that a department runs beside its connector (docs/adr/0047)."""

    # Its home of keys is called `remote-` and this.
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    # Host and port. The signer's TLS certificate names the host.
    address: Annotated[str, Field(pattern=_ADDRESS)]
    # Anchors of the signer's TLS certificate, a PEM bundle.
    ca: Path
    # The hub's own certificate chain towards it, and its key (mode 0600).
    certificate: Path
    key: Path
    # Seconds that one answer may take.
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 60.0


class SealingServiceSection(_Section):
    """A sealing service of somebody else (docs/formats/sealing-service.md)."""

    # Its home of keys is called `service-` and this.
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]
    # HTTPS, or plain HTTP to this machine. Nothing else is ever asked: redirects are refused.
    url: Annotated[str, Field(pattern=TSA_URL, min_length=1, max_length=2048)]
    # Anchors of its TLS certificate, a PEM bundle; no others count. Empty with plain HTTP.
    ca: str = ""
    # The hub's own certificate chain towards it, and its key (mode 0600); empty: none is shown.
    certificate: str = ""
    key: str = ""
    # Seconds that one exchange may take.
    timeout_s: Annotated[float, Field(ge=1, le=300)] = 30.0
    # What records say holds the key. The hub cannot see it: `hub-hsm` only where whoever runs the
    # service attests hardware.
    custody: Annotated[str, Field(pattern=r"^hub-(file|hsm)$")] = "hub-file"


class SealSection(_Section):
    """Keys of seals, and the time stamps on what they seal."""

    # Where keys are used: `inside` the hub, or in a `process` of their own that checks by itself
    # what it signs. A token is only ever used there.
    signer: Annotated[str, Field(pattern=r"^(inside|process)$")] = "inside"
    # What the signer process keeps, its socket and its journal: counted uses, what it was shown.
    # Never restored from a backup: uses would be counted twice.
    signer_folder: Path = Path("signer")
    # Homes whose keys sign only some tens of times in a second: a batch of records gets one
    # signature there (docs/formats/record-seal.md), a record that comes alone one of its own.
    slow_homes: tuple[str, ...] = ()
    # Types that new seals may have; GB/T 38540 leaves the list to whoever runs the hub: 1 official
    # (法定名称章), 2 of the legal representative, 3 special purpose, 4 contracts, 99 others.
    types: tuple[Annotated[int, Field(ge=0, le=2**31 - 1)], ...] = (1, 2, 3, 4, 99)
    pkcs11: TokenUriSection = TokenUriSection()
    # Signers of departments, one `[[seal.remote]]` each: keys that the hub does not hold.
    remote: Annotated[tuple[RemoteSignerSection, ...], Field(max_length=256)] = ()
    # Sealing services of others, one `[[seal.service]]` each.
    service: Annotated[tuple[SealingServiceSection, ...], Field(max_length=32)] = ()
    algorithms: AlgorithmsSection = AlgorithmsSection()
    # Time stamping service (RFC 3161); empty: neither seals on documents nor the log's checkpoints
    # carry time stamps.
    tsa_url: Annotated[str, Field(pattern=TSA_URL, max_length=2048)] = ""
    # Dotted OID of the policy that it has to stamp under; empty: any.
    tsa_policy: Annotated[str, Field(pattern=r"^$|^[0-2](\.(0|[1-9][0-9]{0,9})){1,30}$")] = ""
    # Anchors that the chain of its time stamps has to lead to, a PEM bundle.
    tsa_anchors: Path = Path("tls/tsa-ca.pem")

    @model_validator(mode="after")
    def _token_in_process(self) -> SealSection:
        if self.pkcs11.uri and self.signer != "process":
            raise SchemaFault(
                'seal.pkcs11 needs seal.signer = "process"',
                'seal.pkcs11 要求 seal.signer = "process"',
            )
        return self

    @model_validator(mode="after")
    def _remotes_apart(self) -> SealSection:
        names = [one.name for one in self.remote]
        if len(set(names)) < len(names):
            raise SchemaFault(
                "each seal.remote has a name of its own", "seal.remote 的名称不得重复"
            )
        return self

    @property
    def signs_elsewhere(self) -> bool:
        """Whether a signer outside this process has to be shown what it shall believe."""
        return self.signer == "process" or bool(self.remote)


class TokenSection(_Section):
    """Access tokens."""

    # At most 600: a stolen token is useless without the client key, and soon useless at all.
    lifetime_s: Annotated[int, Field(ge=10, le=600)] = 600


class FacesSection(_Section):
    """The looks of certificates and seals."""

    # File of a font with Chinese glyphs and a licence that allows embedding a part of it; empty:
    # the first of the open fonts that well-known systems have (`hub/seal/faces/fonts.py`). Opened
    # when it is first needed.
    font: str = ""
    # Family name of one face of a font collection; empty: the first whose name ends in SC.
    font_face: Annotated[str, Field(max_length=200)] = ""
    # Files of further fonts, asked in this order for characters that the first lacks, such as rare
    # ones in names. Under the same rules.
    more_fonts: Annotated[tuple[str, ...], Field(max_length=4)] = ()


class ObjectionsSection(_Section):
    """Objections to what certificates say (异议)."""

    # Plain days after the day on which an objection is raised within which its authority answers,
    # and after the day on which it was accepted within which it is corrected. More is later, no
    # objection lapses.
    answer_days: Annotated[int, Field(ge=1, le=365)] = 10


class VerificationSection(_Section):
    """What the hub says of files that callers bring (`ReportService.VerifyDocument`)."""

    # The trust file that the hub judges by: the one that it hands out. Read again when it changes;
    # missing or damaged, such calls are answered TRUST_UNAVAILABLE.
    trust: Path = Path("trust.json")
    # Processes that read files, each up to 256 MiB. A file takes at most 2 s of one.
    workers: Annotated[int, Field(ge=1, le=16)] = 1


class Config(_Section):
    """All of `hub.toml`, with defaults for everything but the hub itself."""

    hub: HubSection
    grpc: GrpcSection = GrpcSection()
    http: HttpSection = HttpSection()
    database: DatabaseSection = DatabaseSection()
    blobs: BlobsSection = BlobsSection()
    s3: S3Section = S3Section()
    ledger: LedgerSection = LedgerSection()
    crypto: CryptoSection = CryptoSection()
    keys: KeysSection = KeysSection()
    seal: SealSection = SealSection()
    tls: TlsSection = TlsSection()
    token: TokenSection = TokenSection()
    objections: ObjectionsSection = ObjectionsSection()
    verification: VerificationSection = VerificationSection()
    faces: FacesSection = FacesSection()
    # The folder of `hub.toml`; every relative path hangs on it.
    home: Path = Field(default=Path(), exclude=True)

    @field_validator("database")
    @classmethod
    def _known_engine(cls, section: DatabaseSection) -> DatabaseSection:
        if not section.url.startswith(("sqlite:///", "postgresql://")):
            raise SchemaFault(
                "database.url begins with sqlite:/// or postgresql://",
                "database.url 应以 sqlite:/// 或 postgresql:// 开头",
            )
        return section

    @field_validator("ledger")
    @classmethod
    def _whole_address(cls, section: LedgerSection) -> LedgerSection:
        if section.head.startswith("s3:") and not re.fullmatch(_S3_OBJECT, section.head):
            raise SchemaFault(
                "ledger.head is a file or s3://bucket/name",
                "ledger.head 应为文件或 s3://bucket/name",
            )
        return section

    @model_validator(mode="after")
    def _stamps_in_time(self) -> Config:
        every_s, age_max_s = self.ledger.stamp_every_s, self.ledger.stamp_age_max_s
        if age_max_s and not (self.seal.tsa_url and 0 < 2 * every_s <= age_max_s):
            raise SchemaFault(
                "ledger.stamp_age_max_s needs seal.tsa_url, and two stamps within it",
                "ledger.stamp_age_max_s 要求配置 seal.tsa_url，且不得小于 stamp_every_s 的两倍",
            )
        return self

    @model_validator(mode="after")
    def _has_store(self) -> Config:
        if "s3" in (self.blobs.url[:2], self.ledger.head[:2]) and not self.s3.endpoint:
            raise SchemaFault(
                "it is needed where blobs.url or ledger.head is s3://…",
                "blobs.url 或 ledger.head 为 s3://… 时必须填写",
            )
        return self

    def path(self, relative: Path) -> Path:
        """`relative` as it stands in the file, made absolute."""
        return self.home / relative

    @property
    def head_file(self) -> Path | None:
        """The file of the external head, or None where it is an object of S3."""
        head = self.ledger.head
        return None if head.startswith("s3://") else self.path(_path_of(head))

    @property
    def blobs_folder(self) -> Path | None:
        """The folder of documents, or None where they are in S3."""
        url = self.blobs.url
        return None if url.startswith("s3://") else self.path(_path_of(url))

    @property
    def font_file(self) -> str:
        """The file of the font of faces and seals; empty: one that the system has."""
        return str(self.path(Path(self.faces.font))) if self.faces.font else ""

    @property
    def more_font_files(self) -> tuple[str, ...]:
        """The files of the further fonts."""
        return tuple(str(self.path(Path(one))) for one in self.faces.more_fonts)

    @property
    def database_url(self) -> str:
        """The database URL with an absolute path where it names a file."""
        prefix = "sqlite:///"
        if self.database.url.startswith(prefix):
            return prefix + str(self.path(Path(self.database.url.removeprefix(prefix))))
        return self.database.url


def _path_of(url: str) -> Path:
    """What `file:relative`, `file:///absolute` or a plain path names."""
    return Path(url.removeprefix("file:").replace("///", "/", 1))


def load(file: Path) -> Config:
    """The configuration in `file`.

    Raises HubError(CONFIG_INVALID) that names each wrong field and the rule it breaks.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise HubError(Reason.CONFIG_INVALID, file=file, rule=error.strerror) from error
    except UnicodeDecodeError as error:
        raise HubError(Reason.CONFIG_INVALID, file=file, rule=str(error)) from error
    return parse(text, file)


def parse(text: str, file: Path) -> Config:
    """The configuration that `text` would be as `file`, which need not exist. Raises as `load`."""
    try:
        members = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HubError(Reason.CONFIG_INVALID, file=file, rule=str(error)) from error
    try:
        return Config.model_validate({**members, "home": file.resolve().parent})
    except ValidationError as error:
        violations = tuple(_violation(item) for item in error.errors())
        fields = ", ".join(violation.field for violation in violations)
        raise HubError(
            Reason.CONFIG_INVALID, violations=violations, file=file, rule=fields
        ) from error


def _violation(fault: ErrorDetails) -> Violation:
    text = schema_text(fault)
    # A rule about the whole file is about what it says of S3.
    field = ".".join(str(part) for part in fault["loc"]) or "s3.endpoint"
    return Violation(field, fault["type"], text.en, text.zh)
