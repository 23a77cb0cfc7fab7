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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from certs.chains import check_leads_to
from certs.files import (
    PRIVATE,
    PUBLIC,
    locked,
    make_private_folder,
    write_absent,
    write_replacing,
)
from certs.index import (
    IndexLine,
    check_in_force,
    check_key_free,
    line_of,
    read_index,
    write_index,
)
from certs.issued import (
    IssuedCertificate,
    Revocation,
    pem_of,
    serial_of,
)
from certs.keys import (
    CaKey,
    PublicKey,
    check_name,
    has_sm2,
    key_digest,
    load_key,
    load_sm2_key,
    new_key,
    new_passphrase_file,
    read_certificate,
    read_crl,
    read_passphrase,
    save_key,
    save_sm2_key,
    thumbprint,
)
from certs.profiles import SELF, SHIPPED, Authority, Profile, load_profiles
from certs.signing import (
    REASONS,
    Holder,
    Issuer,
    is_crl_due,
    proven_key,
    public_half,
    public_key_of,
    sign_certificate,
    sign_crl,
)
from certs.subjects import (
    alternative_names,
    check_alternative_names,
    check_values,
    has_usage,
    subject_text,
)
from hub.errors import HubError, Reason
from hub.proof import sm2

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
                if ca in pki.profiles and (ca in CAS or has_sm2()):
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
        key: bytes | PublicKey,
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
        public_key = proven_key(rules, key)
        values = check_values(rules, common_name, organization, organization_identifier)
        names = check_alternative_names(rules, dns_names, ip_addresses)
        moment = _whole_seconds(now)
        with locked(self.folder / "lock"):
            lines = self.list()
            subject = rules.x509_subject({**values, "name": self._name(lines)})
            check_key_free(lines, rules.name, key_digest(public_key), subject_text(subject), moment)
            for line in reversed(lines):
                if self._serves(line, rules, public_key, names, moment):
                    return self._issued(line, lines, created=False)
            certificate = self._sign(lines, rules, Holder(public_key, subject, names), moment)
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
            check_in_force(line, moment)
            public_key = public_key_of(old)
            if csr is not None:
                if rules.ca is not None:
                    raise _field("csr", "a CA keeps its key; leave the request out")
                public_key = proven_key(rules, csr)
                check_key_free(
                    lines, rules.name, key_digest(public_key), subject_text(old.subject), moment
                )
            digest = key_digest(public_key)
            for later in reversed(lines):
                same = later.renews == line.serial and later.key == digest
                if same and later.state(moment) == "active":
                    self._write_trust()
                    return self._issued(later, lines, created=False)
            holder = Holder(public_key, old.subject, alternative_names(old))
            certificate = self._sign(lines, rules, holder, moment)
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
        public_key = public_half(self._ca_key(ca))
        certificate = self._sign(lines, rules, Holder(public_key, subject, None), now)
        self._store(lines, rules, certificate, renews=None)
        return (ca,)

    def _write_trust(self) -> tuple[str, ...]:
        """The anchors, old certificates of the same key included: old seals are checked by them."""
        lines = self.list()
        made = []
        for ca, file in _TRUST_FILES.items():
            pem = b"".join(pem_of(certificate) for certificate in self._ca_certificates(ca, lines))
            if pem and write_replacing(self.folder / "trust" / file, pem):
                made.append(f"trust/{file}")
        return tuple(made)

    # -- signing and storing, all under the lock

    def _sign(
        self, lines: Sequence[IndexLine], rules: Profile, holder: Holder, now: datetime
    ) -> x509.Certificate:
        is_anchor = rules.issued_by == SELF
        ca = rules.name if is_anchor else rules.issued_by
        parent = None if is_anchor else self._ca(ca, lines)
        if parent is not None:
            check_in_force(line_of(parent, lines), now)
        authority = self.profiles[ca].ca
        issuer = Issuer(self._ca_key(ca), parent, authority.crl_url if authority else None)
        return sign_certificate(rules, issuer, holder, now)

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
            serial=serial_of(certificate),
            profile=rules.name,
            subject=subject_text(certificate.subject),
            thumbprint=thumbprint(certificate),
            key=key_digest(public_key_of(certificate)),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            renews=renews,
        )
        write_replacing(self._path(line.serial), pem_of(certificate))
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
            days = self._authority(ca).crl_days
            if current is None or (not only_missing and is_crl_due(current, revoked, days, now)):
                current = sign_crl(
                    self._ca_key(ca),
                    self._ca(ca, lines).subject,
                    current,
                    revoked,
                    now=now,
                    next_update=now + timedelta(days=days),
                )
                write_replacing(path, current.public_bytes(serialization.Encoding.DER))
                made.append(f"crl/{ca}.crl")
            bundle += current.public_bytes(serialization.Encoding.PEM)
        write_replacing(self.folder / "crl" / "all.pem", bundle)
        return tuple(made)

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
            return line_of(certificate, lines), certificate
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


def _text_of(name: x509.Name, attribute: x509.ObjectIdentifier) -> str:
    value = name.get_attributes_for_oid(attribute)[0].value
    return value if isinstance(value, str) else value.decode()


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
