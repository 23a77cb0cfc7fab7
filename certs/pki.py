"""A PKI in one folder: two anchors, one issuing CA, everything they issue, and what is revoked.

    root ── issuing-ca ── hub-server, system-client, officer
    seal-ca ── seal
    sm2-maker-ca ── seal-maker          these two in SM2, where libcrypto has it
    sm2-seal-ca ── sm2-seal

    passphrase        of the CA keys (0600); better kept on another medium than this folder
    profiles.toml     this PKI's copy of the profiles
    index.jsonl       what was issued and what became of it; the one source of truth
    ca/NAME.key       encrypted PKCS#8 (0600)
    issued/SERIAL.pem one certificate each, written before its line in the index
    trust/            tls.pem, seal.pem, sm2-maker.pem, sm2-seal.pem: the anchors that others pin
    crl/              NAME.crl (DER) for each CA, all.pem for `openssl verify`

Private keys of members are made where they are used and never come here: only requests do.
Everything repeats safely. Read `certs.command` for the same at a terminal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from certs.chains import check_leads_to
from certs.files import (
    PRIVATE,
    PUBLIC,
    locked,
    make_private_folder,
    write_absent,
    write_replacing,
)
from certs.index import IndexLine, read_index, write_index
from certs.keys import (
    CaKey,
    InternationalKey,
    PublicKey,
    algorithm_of,
    check_csr,
    check_name,
    check_sm2_csr,
    key_digest,
    load_key,
    load_sm2_key,
    make_csr,
    new_key,
    new_passphrase_file,
    private_pem,
    read_certificate,
    read_crl,
    read_passphrase,
    save_key,
    save_sm2_key,
    thumbprint,
)
from certs.profiles import SELF, SHIPPED, Authority, Profile, load_profiles
from certs.subjects import (
    alternative_names,
    check_alternative_names,
    check_values,
    has_usage,
    subject_text,
)
from hub.errors import HubError, Reason
from hub.proof import sm2
from hub.proof.reasons import ProofError
from hub.proof.x509_sm2 import parse_x509
from hub.proof.x509_sm2_make import make_certificate, make_crl

__all__ = [
    "IssuedCertificate",
    "Pki",
    "Revocation",
    "ServerCredentials",
    "check_csr",
    "load_key",
    "make_csr",
    "new_key",
    "save_key",
    "server_key_and_cert",
    "thumbprint",
]

ROOT: Final = "root"
SEAL_CA: Final = "seal-ca"

SM2_MAKER_CA: Final = "sm2-maker-ca"
SM2_SEAL_CA: Final = "sm2-seal-ca"

# The root comes last: its key may lie in a safe while the other lists are renewed.
CAS: Final = ("issuing-ca", SEAL_CA, ROOT)

# Made where the profiles have them and libcrypto has SM2.
SM2_CAS: Final = (SM2_MAKER_CA, SM2_SEAL_CA)

_TRUST_FILES: Final = {
    ROOT: "tls.pem",
    SEAL_CA: "seal.pem",
    SM2_MAKER_CA: "sm2-maker.pem",
    SM2_SEAL_CA: "sm2-seal.pem",
}

REASONS: Final[Mapping[str, x509.ReasonFlags]] = {
    "unspecified": x509.ReasonFlags.unspecified,
    "key_compromise": x509.ReasonFlags.key_compromise,
    "affiliation_changed": x509.ReasonFlags.affiliation_changed,
    "superseded": x509.ReasonFlags.superseded,
    "cessation_of_operation": x509.ReasonFlags.cessation_of_operation,
    "privilege_withdrawn": x509.ReasonFlags.privilege_withdrawn,
}

PublicKeySource = bytes | PublicKey


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """An X.509 certificate with the way to its anchor; `created`: not there before."""

    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...]
    created: bool

    @property
    def der(self) -> bytes:
        return _der(self.certificate)

    @property
    def pem(self) -> bytes:
        return _pem(self.certificate)

    @property
    def chain_der(self) -> tuple[bytes, ...]:
        """Leaf first, the anchor left out: the members of `x5c`."""
        return tuple(_der(certificate) for certificate in (self.certificate, *self.issuers))

    @property
    def chain_pem(self) -> bytes:
        """Leaf first, the anchor left out: what a TLS peer presents."""
        return b"".join(_pem(certificate) for certificate in (self.certificate, *self.issuers))

    @property
    def serial(self) -> str:
        return _serial(self.certificate)

    @property
    def thumbprint(self) -> str:
        return thumbprint(self.certificate)

    @property
    def not_after(self) -> datetime:
        return self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True)
class Revocation:
    """A revocation that is durable and listed; `changed` is False where it was so before."""

    line: IndexLine
    changed: bool


@dataclass(frozen=True, slots=True)
class ServerCredentials:
    """What a TLS server is started with. The key is plain PEM: keep it in memory."""

    key_pem: bytes = field(repr=False)
    chain_pem: bytes
    certificate: IssuedCertificate


@dataclass(frozen=True, slots=True)
class Pki:
    """The PKI of one folder. Safe to use from several threads and processes at once.

    `made` names what `init` had to make; empty where everything was there.
    """

    folder: Path
    passphrase_file: Path
    profiles: Mapping[str, Profile] = field(repr=False)
    made: tuple[str, ...] = ()

    @classmethod
    def init(
        cls, folder: Path, *, name: str, now: datetime, passphrase_file: Path | None = None
    ) -> Pki:
        """The PKI of `name` at `folder`, made as far as it is missing.

        1. Folders, passphrase, profiles, index. 2. Keys and certificates of the CAs. 3. Anchors and
        revocation lists. An interrupted run is finished by the next; a finished one is not touched.
        Raises HubError: FIELD_INVALID for another name than that of the first run.
        """
        check_name("name", name)
        make_private_folder(folder)
        secret = passphrase_file or folder / "passphrase"
        with locked(folder / "lock"):
            made = _make_foundations(folder, secret)
            pki = cls(folder, secret, load_profiles(folder / "profiles.toml"))
            for ca in (*reversed(CAS), *SM2_CAS):
                if ca in pki.profiles and (ca in CAS or _has_sm2()):
                    made += pki._make_ca(ca, name, _whole_seconds(now))
            made += pki._write_trust()
            made += pki._refresh_crls(_whole_seconds(now), only_missing=True)
        return cls(folder, secret, pki.profiles, tuple(made))

    @classmethod
    def open(cls, folder: Path, *, passphrase_file: Path | None = None) -> Pki:
        """The PKI at `folder`. Raises HubError: PKI_NOT_FOUND, PKI_INDEX_DAMAGED, ..._INVALID.

        The passphrase is read when a CA signs, not before: who only lists needs none.
        """
        if not (folder / "index.jsonl").is_file():
            if any((folder / "ca").glob("*.key")):
                raise _index_missing(folder)
            raise HubError(Reason.PKI_NOT_FOUND, path=folder)
        secret = passphrase_file or folder / "passphrase"
        pki = cls(folder, secret, load_profiles(folder / "profiles.toml"))
        present = {line.profile for line in pki.list()}
        if not present.issuperset(CAS):
            raise HubError(Reason.PKI_NOT_FOUND, path=folder)
        return pki

    def issue(
        self,
        profile: str,
        key: PublicKeySource,
        *,
        now: datetime,
        common_name: str,
        organization: str | None = None,
        organization_identifier: str | None = None,
        dns_names: Sequence[str] = (),
        ip_addresses: Sequence[str] = (),
    ) -> IssuedCertificate:
        """A certificate of `profile` for a request (PKCS#10) or for a key proven elsewhere.

        Durable and indexed when it returns. The same key, profile and names again give the
        certificate that is in force, until it is due for renewal. A key has one profile for ever
        and one subject at a time. Raises HubError: CERTIFICATE_PROFILE_UNKNOWN, CSR_INVALID,
        FIELD_INVALID, X509_KEY_REFUSED, X509_NOT_IN_FORCE (of a CA), FILE_UNREADABLE (CA key).
        """
        rules = self._leaf_profile(profile)
        public_key = _proven_key(rules, key)
        values = check_values(rules, common_name, organization, organization_identifier)
        names = check_alternative_names(rules, dns_names, ip_addresses)
        moment = _whole_seconds(now)
        with locked(self.folder / "lock"):
            lines = self.list()
            subject = rules.x509_subject({**values, "name": self._name(lines)})
            _check_key_free(lines, rules, public_key, subject, moment)
            for line in reversed(lines):
                if self._serves(line, rules, public_key, names, moment):
                    return self._issued(line, lines, created=False)
            certificate = self._sign(
                lines, rules, public_key, subject=subject, names=names, now=moment
            )
            line, lines = self._store(lines, rules, certificate, renews=None)
            return self._issued(line, lines, created=True)

    def renew(
        self, which: str | Path, *, now: datetime, csr: bytes | None = None
    ) -> IssuedCertificate:
        """A successor of `which` (serial or file): same subject, names and use, new serial.

        The key stays, or is the one of `csr`. The predecessor stays in force until its end or its
        revocation. Renewing again gives the same successor. A CA keeps its key, so that what it
        issued stays valid. Raises HubError: X509_NOT_FOUND, X509_NOT_IN_FORCE, and as `issue`.
        """
        moment = _whole_seconds(now)
        with locked(self.folder / "lock"):
            lines = self.list()
            line, old = self._find(which, lines)
            rules = self.profiles[line.profile]
            _check_in_force(line, moment)
            public_key = _public_key(old)
            if csr is not None:
                if rules.ca is not None:
                    raise _field("csr", "a CA keeps its key; leave the request out")
                public_key = _proven_key(rules, csr)
                _check_key_free(lines, rules, public_key, old.subject, moment)
            digest = key_digest(public_key)
            for later in reversed(lines):
                same = later.renews == line.serial and later.key == digest
                if same and later.state(moment) == "active":
                    self._write_trust()
                    return self._issued(later, lines, created=False)
            certificate = self._sign(
                lines,
                rules,
                public_key,
                subject=old.subject,
                names=alternative_names(old),
                now=moment,
            )
            line, lines = self._store(lines, rules, certificate, renews=line.serial)
            self._write_trust()
            return self._issued(line, lines, created=True)

    def revoke(self, which: str | Path, *, reason: str, now: datetime) -> Revocation:
        """Revoke `which` (serial or file) as of `now`, and list it.

        Durable in the index, then in the issuer's list, when it returns. Revoking again changes
        nothing, except that a key found compromised later becomes `key_compromise`; the time
        stays. Raises HubError: X509_NOT_FOUND; FIELD_INVALID for an anchor or an unknown reason.
        """
        if reason not in REASONS:
            raise _field("reason", f"one of {', '.join(REASONS)}")
        moment = _whole_seconds(now)
        with locked(self.folder / "lock"):
            lines = self.list()
            line, _ = self._find(which, lines)
            if self.profiles[line.profile].issued_by == SELF:
                raise _field(
                    "serial", "an anchor is withdrawn by removing it from every trust folder"
                )
            escalated = reason == "key_compromise" and line.reason != reason
            changed = line.revoke_time is None or escalated
            if changed:
                line = line.revoked(reason, moment)
                lines = tuple(line if old.serial == line.serial else old for old in lines)
                write_index(self._index, lines)
            self._refresh_crls(moment)
            return Revocation(line, changed)

    def crl(self, now: datetime) -> bytes:
        """The current revocation lists of all CAs, as PEM one after another; also in `crl/`.

        A list is signed anew when what it lists has changed or half its time is over.
        """
        with locked(self.folder / "lock"):
            self._refresh_crls(_whole_seconds(now))
            return (self.folder / "crl" / "all.pem").read_bytes()

    def list(self) -> tuple[IndexLine, ...]:
        """Everything issued, oldest first. Raises HubError(PKI_INDEX_DAMAGED)."""
        lines = read_index(self._index)
        for number, line in enumerate(lines, start=1):
            if line.profile not in self.profiles:
                rule = f"the profile {line.profile} is not in profiles.toml"
                raise HubError(Reason.PKI_INDEX_DAMAGED, path=self._index, line=number, rule=rule)
        return lines

    def find(self, which: str | Path) -> tuple[IndexLine, IssuedCertificate]:
        """What was issued as `which` (serial or file). Raises HubError(X509_NOT_FOUND)."""
        lines = self.list()
        line, _ = self._find(which, lines)
        return line, self._issued(line, lines, created=False)

    def verify(self, certificate: x509.Certificate, profile: str, *, now: datetime) -> IndexLine:
        """`certificate` may be used as `profile` at `now`, or HubError(X509_UNTRUSTED).

        1. Chain to the profile's own anchor. 2. Usage exactly as the profile has it. 3. Issued here
        under that profile and not revoked.
        """
        rules = self._leaf_profile(profile)
        lines = self.list()
        anchor = self._anchor_of(rules)
        chain = [certificate]
        if rules.issued_by != anchor:
            chain.append(self._ca(rules.issued_by, lines))
        check_leads_to(rules, chain, self._ca_certificates(anchor, lines), now)
        return self._usable(certificate, rules, lines)

    def _usable(
        self, certificate: x509.Certificate, rules: Profile, lines: Sequence[IndexLine]
    ) -> IndexLine:
        """Steps 2 and 3 of `verify`."""
        if not has_usage(certificate, rules):
            rule = "its key usage is another"
            raise HubError(Reason.X509_UNTRUSTED, profile=rules.name, rule=rule)
        line = next((line for line in lines if line.thumbprint == thumbprint(certificate)), None)
        if line is None or line.profile != rules.name:
            rule = "it was not issued here under that profile"
            raise HubError(Reason.X509_UNTRUSTED, profile=rules.name, rule=rule)
        if line.revoke_time is not None:
            raise HubError(Reason.X509_UNTRUSTED, profile=rules.name, rule="it is revoked")
        return line

    @property
    def tls_anchor_pem(self) -> bytes:
        """The anchor of TLS, the newest certificate first; what others pin."""
        return (self.folder / "trust" / "tls.pem").read_bytes()

    @property
    def seal_anchor_pem(self) -> bytes:
        """The anchor of seals, the newest certificate first; what others pin."""
        return (self.folder / "trust" / "seal.pem").read_bytes()

    def sm2_anchor_pem(self, ca: str) -> bytes:
        """The anchor `sm2-maker-ca` or `sm2-seal-ca`, as above; empty where there is none."""
        path = self.folder / "trust" / _TRUST_FILES[ca]
        return path.read_bytes() if path.is_file() else b""

    # -- what init makes

    def _make_ca(self, ca: str, name: str, now: datetime) -> tuple[str, ...]:
        rules = self.profiles[ca]
        subject = rules.x509_subject({"name": name})
        lines = self.list()
        if any(line.profile == ca for line in lines):
            if self._ca(ca, lines).subject != subject:
                raise _field("name", "this folder holds the PKI of another name")
            return ()
        passphrase = read_passphrase(self.passphrase_file)
        path = self.folder / "ca" / f"{ca}.key"
        if not path.exists():
            if rules.is_sm2:
                save_sm2_key(path, sm2.PrivateKey.generate(), passphrase)
            else:
                save_key(path, new_key(), passphrase)
        public_key = _public_half(self._ca_key(ca))
        self._store(
            lines,
            rules,
            self._sign(lines, rules, public_key, subject=subject, names=None, now=now),
            renews=None,
        )
        return (ca,)

    def _write_trust(self) -> tuple[str, ...]:
        """The anchors, old certificates of the same key included: old seals are checked by them."""
        lines = self.list()
        made = []
        for ca, file in _TRUST_FILES.items():
            pem = b"".join(_pem(certificate) for certificate in self._ca_certificates(ca, lines))
            if pem and write_replacing(self.folder / "trust" / file, pem):
                made.append(f"trust/{file}")
        return tuple(made)

    # -- signing and storing, all under the lock

    def _sign(
        self,
        lines: Sequence[IndexLine],
        rules: Profile,
        public_key: PublicKey,
        *,
        subject: x509.Name,
        names: x509.SubjectAlternativeName | None,
        now: datetime,
    ) -> x509.Certificate:
        ca = rules.name if rules.issued_by == SELF else rules.issued_by
        issuer = None if rules.issued_by == SELF else self._ca(ca, lines)
        not_before = now - timedelta(minutes=rules.backdate_minutes)
        not_after = now + timedelta(days=rules.validity_days)
        if issuer is not None:
            _check_in_force(_line_of(issuer, lines), now)
            not_before = max(not_before, issuer.not_valid_before_utc)
            not_after = min(not_after, issuer.not_valid_after_utc)
        key = self._ca_key(ca)
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (rules.x509_basic_constraints(), True),
            (rules.x509_key_usage(), True),
            (x509.SubjectKeyIdentifier(_key_identifier(public_key)), False),
            (x509.AuthorityKeyIdentifier(_key_identifier(_public_half(key)), None, None), False),
        ]
        extended = rules.x509_extended_key_usage()
        if extended is not None:
            extensions.append((extended, False))
        if names is not None:
            extensions.append((names, False))
        authority = self.profiles[ca].ca
        if issuer is not None and authority is not None and authority.crl_url is not None:
            extensions.append((_distribution_point(authority.crl_url), False))
        serial = x509.random_serial_number()
        issuer_name = subject if issuer is None else issuer.subject
        if isinstance(key, sm2.PrivateKey):
            assert isinstance(public_key, sm2.PublicKey), "CA and profile are of one algorithm"
            der = make_certificate(
                subject=subject,
                key=public_key,
                issuer=issuer_name,
                not_before=not_before,
                not_after=not_after,
                extensions=extensions,
                sign=key.sign,
                serial=serial,
            )
            return x509.load_der_x509_certificate(der)
        assert not isinstance(public_key, sm2.PublicKey), "as above"
        builder = (
            x509.CertificateBuilder()
            .serial_number(serial)
            .subject_name(subject)
            .issuer_name(issuer_name)
            .public_key(public_key)
            .not_valid_before(not_before)
            .not_valid_after(not_after)
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(key, hashes.SHA256())

    def _store(
        self,
        lines: tuple[IndexLine, ...],
        rules: Profile,
        certificate: x509.Certificate,
        *,
        renews: str | None,
    ) -> tuple[IndexLine, tuple[IndexLine, ...]]:
        """File first, index second: a file without a line was never handed out."""
        line = IndexLine(
            serial=_serial(certificate),
            profile=rules.name,
            subject=subject_text(certificate.subject),
            thumbprint=thumbprint(certificate),
            key=key_digest(_public_key(certificate)),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            renews=renews,
        )
        write_replacing(self._path(line.serial), _pem(certificate))
        lines = (*lines, line)
        write_index(self._index, lines)
        return line, lines

    def _refresh_crls(self, now: datetime, *, only_missing: bool = False) -> tuple[str, ...]:
        made = []
        lines = self.list()
        bundle = b""
        for ca in self._cas(lines):
            path = self.folder / "crl" / f"{ca}.crl"
            revoked = [
                line
                for line in lines
                if line.revoke_time is not None and self.profiles[line.profile].issued_by == ca
            ]
            current = read_crl(path) if path.exists() else None
            if current is None or (
                not only_missing and self._is_crl_due(ca, current, revoked, now)
            ):
                current = self._sign_crl(ca, current, revoked, lines, now)
                write_replacing(path, current.public_bytes(serialization.Encoding.DER))
                made.append(f"crl/{ca}.crl")
            bundle += current.public_bytes(serialization.Encoding.PEM)
        write_replacing(self.folder / "crl" / "all.pem", bundle)
        return tuple(made)

    def _is_crl_due(
        self,
        ca: str,
        current: x509.CertificateRevocationList,
        revoked: Sequence[IndexLine],
        now: datetime,
    ) -> bool:
        # A list in SM2 names serials and times only.
        says_why = not self.profiles[ca].is_sm2
        listed = {(one.serial_number, _reason(one) if says_why else None) for one in current}
        wanted = {(int(line.serial, 16), line.reason if says_why else None) for line in revoked}
        half = timedelta(days=self._authority(ca).crl_days) / 2
        return listed != wanted or now >= current.last_update_utc + half

    def _sign_crl(
        self,
        ca: str,
        current: x509.CertificateRevocationList | None,
        revoked: Sequence[IndexLine],
        lines: Sequence[IndexLine],
        now: datetime,
    ) -> x509.CertificateRevocationList:
        key = self._ca_key(ca)
        next_update = now + timedelta(days=self._authority(ca).crl_days)
        issuer = self._ca(ca, lines).subject
        if isinstance(key, sm2.PrivateKey):
            times = {int(line.serial, 16): line.revoke_time for line in revoked}
            der = make_crl(
                issuer=issuer,
                this_update=now,
                next_update=next_update,
                revoked={serial: time for serial, time in times.items() if time is not None},
                sign=key.sign,
            )
            return x509.load_der_x509_crl(der)
        # Seconds since 1970 grow without a counter that could be lost; never below the last list.
        number = int(now.timestamp())
        if current is not None:
            last = current.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            number = max(number, last + 1)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(now)
            .next_update(next_update)
            .add_extension(x509.CRLNumber(number), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
        )
        for line in revoked:
            builder = builder.add_revoked_certificate(_revoked_entry(line))
        return builder.sign(key, hashes.SHA256())

    # -- looking up

    @property
    def _index(self) -> Path:
        return self.folder / "index.jsonl"

    def _path(self, serial: str) -> Path:
        return self.folder / "issued" / f"{serial}.pem"

    def _certificate(self, line: IndexLine) -> x509.Certificate:
        certificate = read_certificate(self._path(line.serial))
        if thumbprint(certificate) != line.thumbprint:
            rule = f"issued/{line.serial}.pem holds another certificate"
            raise HubError(Reason.PKI_INDEX_DAMAGED, path=self._index, line=0, rule=rule)
        return certificate

    def _leaf_profile(self, name: str) -> Profile:
        profile = self.profiles.get(name)
        if profile is None or profile.ca is not None:
            known = ", ".join(name for name, rules in self.profiles.items() if rules.ca is None)
            raise HubError(Reason.CERTIFICATE_PROFILE_UNKNOWN, profile=name, known=known)
        return profile

    def _authority(self, ca: str) -> Authority:
        authority = self.profiles[ca].ca
        assert authority is not None, "load_profiles lets only a CA issue"
        return authority

    def _anchor_of(self, rules: Profile) -> str:
        while rules.issued_by != SELF:
            rules = self.profiles[rules.issued_by]
        return rules.name

    def _ca_key(self, ca: str) -> CaKey:
        path, passphrase = self.folder / "ca" / f"{ca}.key", read_passphrase(self.passphrase_file)
        if self.profiles[ca].is_sm2:
            return load_sm2_key(path, passphrase)
        return load_key(path, passphrase)

    def _cas(self, lines: Sequence[IndexLine]) -> tuple[str, ...]:
        """Every CA that is there."""
        present = {line.profile for line in lines}
        return (*[ca for ca in SM2_CAS if ca in present], *CAS)

    def _ca_certificates(self, ca: str, lines: Sequence[IndexLine]) -> tuple[x509.Certificate, ...]:
        """All certificates of a CA's key, the newest first."""
        return tuple(self._certificate(line) for line in reversed(lines) if line.profile == ca)

    def _ca(self, ca: str, lines: Sequence[IndexLine]) -> x509.Certificate:
        return self._ca_certificates(ca, lines)[0]

    def _name(self, lines: Sequence[IndexLine]) -> str:
        return _text_of(self._ca(ROOT, lines).subject, x509.NameOID.ORGANIZATION_NAME)

    def _find(
        self, which: str | Path, lines: Sequence[IndexLine]
    ) -> tuple[IndexLine, x509.Certificate]:
        if isinstance(which, Path):
            certificate = read_certificate(which)
            return _line_of(certificate, lines), certificate
        serial = which.replace(":", "").lower().rjust(40, "0")
        line = next((line for line in lines if line.serial == serial), None)
        if line is None:
            raise HubError(Reason.X509_NOT_FOUND, serial=which)
        return line, self._certificate(line)

    def _issued(
        self, line: IndexLine, lines: Sequence[IndexLine], *, created: bool
    ) -> IssuedCertificate:
        issuers: list[x509.Certificate] = []
        rules = self.profiles[line.profile]
        while rules.issued_by != SELF and self.profiles[rules.issued_by].issued_by != SELF:
            issuers.append(self._ca(rules.issued_by, lines))
            rules = self.profiles[rules.issued_by]
        return IssuedCertificate(self._certificate(line), tuple(issuers), created)

    def _serves(
        self,
        line: IndexLine,
        rules: Profile,
        public_key: PublicKey,
        names: x509.SubjectAlternativeName | None,
        now: datetime,
    ) -> bool:
        """Whether `line` already is what is asked for, with time to spare."""
        if line.key != key_digest(public_key) or line.state(now) != "active":
            return False
        if now >= line.not_after - timedelta(days=rules.renew_before_days):
            return False
        return alternative_names(self._certificate(line)) == names


def server_key_and_cert(
    pki: Pki,
    folder: Path,
    *,
    now: datetime,
    common_name: str,
    dns_names: Sequence[str] = (),
    ip_addresses: Sequence[str] = (),
    passphrase: bytes | None = None,
) -> ServerCredentials:
    """The key and certificate of a hub server at `folder` (`server.key`, `server.pem`).

    The key is made on the first call and kept; the certificate is replaced when it is due. For a
    server on the machine of the PKI; elsewhere, send a request. Raises HubError as `Pki.issue`.
    """
    path = folder / "server.key"
    if not path.exists():
        save_key(path, new_key(), passphrase)
    key = load_key(path, passphrase)
    issued = pki.issue(
        "hub-server",
        make_csr(key, common_name),
        now=now,
        common_name=common_name,
        dns_names=dns_names,
        ip_addresses=ip_addresses,
    )
    write_replacing(folder / "server.pem", issued.chain_pem)
    return ServerCredentials(private_pem(key, None), issued.chain_pem, issued)


def _make_foundations(folder: Path, passphrase_file: Path) -> list[str]:
    """What the CAs stand on; the index comes before any key, so that a lost one is noticed."""
    made = []
    for name in ("ca", "issued", "trust", "crl"):
        make_private_folder(folder / name)
    if new_passphrase_file(passphrase_file):
        made.append("passphrase")
    if write_absent(folder / "profiles.toml", SHIPPED.read_bytes(), mode=PUBLIC):
        made.append("profiles.toml")
    if not (folder / "index.jsonl").exists() and any((folder / "ca").glob("*.key")):
        raise _index_missing(folder)
    if write_absent(folder / "index.jsonl", b"", mode=PRIVATE):
        made.append("index.jsonl")
    return made


def _check_key_free(
    lines: Sequence[IndexLine],
    rules: Profile,
    key: PublicKey,
    subject: x509.Name,
    now: datetime,
) -> None:
    """One key, one format: never a second profile, one subject in force at a time."""
    digest = key_digest(key)
    for line in lines:
        if line.key != digest:
            continue
        rule = None
        if line.profile != rules.name:
            rule = f"it was certified as {line.profile}, and one key serves one purpose"
        elif line.reason == "key_compromise":
            rule = f"it was revoked as compromised (serial {line.serial})"
        elif line.state(now) == "active" and line.subject != subject_text(subject):
            rule = f"it belongs to another subject (serial {line.serial})"
        if rule is not None:
            raise HubError(Reason.X509_KEY_REFUSED, profile=rules.name, rule=rule)


def _check_in_force(line: IndexLine, now: datetime) -> None:
    state = line.state(now)
    if state != "active":
        raise HubError(
            Reason.X509_NOT_IN_FORCE, serial=line.serial, profile=line.profile, state=state
        )


def _line_of(certificate: x509.Certificate, lines: Sequence[IndexLine]) -> IndexLine:
    print_ = thumbprint(certificate)
    line = next((line for line in lines if line.thumbprint == print_), None)
    if line is None:
        raise HubError(Reason.X509_NOT_FOUND, serial=_serial(certificate))
    return line


def _distribution_point(url: str) -> x509.CRLDistributionPoints:
    names = [x509.UniformResourceIdentifier(url)]
    return x509.CRLDistributionPoints([x509.DistributionPoint(names, None, None, None)])


def _revoked_entry(line: IndexLine) -> x509.RevokedCertificate:
    assert line.revoke_time is not None and line.reason is not None, "only revoked lines are listed"
    builder = (
        x509.RevokedCertificateBuilder()
        .serial_number(int(line.serial, 16))
        .revocation_date(line.revoke_time)
    )
    # RFC 5280 §5.3.1: an unspecified reason is left out.
    if line.reason != "unspecified":
        builder = builder.add_extension(x509.CRLReason(REASONS[line.reason]), critical=False)
    return builder.build()


def _reason(entry: x509.RevokedCertificate) -> str:
    try:
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return "unspecified"
    return next((name for name, known in REASONS.items() if known is flag), flag.name)


def _proven_key(rules: Profile, key: PublicKeySource) -> PublicKey:
    """The key, of the profile's algorithm, whose possession a request proves."""
    if isinstance(key, bytes):
        return check_sm2_csr(key) if rules.is_sm2 else check_csr(key, rules.algorithms)
    if algorithm_of(key) not in rules.algorithms:
        rule = f"the profile {rules.name} is for keys of {' or '.join(rules.algorithms)}"
        raise HubError(Reason.X509_KEY_REFUSED, profile=rules.name, rule=rule)
    return key


def _public_half(key: CaKey) -> PublicKey:
    return key.public if isinstance(key, sm2.PrivateKey) else key.public_key()


def _public_key(certificate: x509.Certificate) -> PublicKey:
    """The key of a certificate that was issued here; `cryptography` reads no SM2 key."""
    if certificate.signature_algorithm_oid.dotted_string == sm2.SM2_WITH_SM3:
        key = parse_x509(_der(certificate)).key
        assert key is not None, "only SM2 keys are certified with SM2"
        return key
    other = certificate.public_key()
    assert isinstance(other, InternationalKey), "no others are certified"
    return other


def _key_identifier(key: PublicKey) -> bytes:
    """SHA-1 of the point (RFC 5280 §4.2.1.2, method 1): a name, no protection."""
    if isinstance(key, sm2.PublicKey):
        return hashlib.sha1(key.point, usedforsecurity=False).digest()
    return x509.SubjectKeyIdentifier.from_public_key(key).digest


def _has_sm2() -> bool:
    try:
        sm2.PrivateKey.generate()
    except ProofError:
        return False
    return True


def _text_of(name: x509.Name, attribute: x509.ObjectIdentifier) -> str:
    value = name.get_attributes_for_oid(attribute)[0].value
    return value if isinstance(value, str) else value.decode()


def _serial(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:040x}"


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _whole_seconds(now: datetime) -> datetime:
    """X.509 keeps whole seconds, in UTC."""
    if now.tzinfo is None:
        raise _field("now", "a time with its zone")
    return now.astimezone(UTC).replace(microsecond=0)


def _field(name: str, rule: str) -> HubError:
    return HubError(Reason.FIELD_INVALID, field=name, rule=rule)


def _index_missing(folder: Path) -> HubError:
    rule = "the index is missing although keys of CAs are there"
    return HubError(Reason.PKI_INDEX_DAMAGED, path=folder / "index.jsonl", line=0, rule=rule)


if __name__ == "__main__":
    from certs.command import main

    raise SystemExit(main())
