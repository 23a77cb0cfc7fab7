"""`profiles.toml` as values: parsed strictly, because a mistake here is signed by a CA."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from certs.files import read_bounded
from certs.keys import ALGORITHMS, P256, SM2
from hub.errors import HubError, Reason

SHIPPED: Final = Path(__file__).with_name("profiles.toml")
PROFILES_BYTES_MAX: Final = 64 * 1024
SELF: Final = "self"

PLACEHOLDERS: Final = frozenset({"name", "common_name", "organization", "organization_identifier"})

_REQUIRED: Final = (
    "root",
    "issuing-ca",
    "seal-ca",
    "hub-server",
    "system-client",
    "officer",
    "seal",
)
_KEY_USAGES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
_EXTENDED: Final[Mapping[str, x509.ObjectIdentifier]] = {
    "server_auth": ExtendedKeyUsageOID.SERVER_AUTH,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
}
_ATTRIBUTES: Final[Mapping[str, x509.ObjectIdentifier]] = {
    "C": NameOID.COUNTRY_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "CN": NameOID.COMMON_NAME,
}
_MEMBERS: Final = frozenset(
    {
        "issued_by",
        "ca",
        "validity_days",
        "renew_before_days",
        "backdate_minutes",
        "key_usage",
        "extended_key_usage",
        "alternative_names",
        "subject",
    }
)
_OPTIONAL: Final = frozenset({"algorithm"})
_CA_MEMBERS: Final = frozenset({"path_length", "crl_days"})
_CA_OPTIONAL: Final = frozenset({"crl_url"})


@dataclass(frozen=True, slots=True)
class Authority:
    """What only the profile of a CA says."""

    path_length: int
    crl_days: int
    crl_url: str | None


@dataclass(frozen=True, slots=True)
class Profile:
    """What one kind of X.509 certificate is for. Limits in the unit their name ends with."""

    name: str
    issued_by: str
    ca: Authority | None
    validity_days: int
    renew_before_days: int
    backdate_minutes: int
    key_usage: frozenset[str]
    extended_key_usage: tuple[str, ...]
    alternative_names: Literal["required", "none"]
    subject: tuple[tuple[str, str], ...]
    algorithms: tuple[str, ...] = (P256,)

    @property
    def is_sm2(self) -> bool:
        """Whether keys and signatures are SM2, which is never mixed with the others."""
        return self.algorithms == (SM2,)

    @property
    def placeholders(self) -> frozenset[str]:
        """What the subject's templates ask for."""
        return frozenset().union(*(_placeholders(template) for _, template in self.subject))

    def x509_subject(self, values: Mapping[str, str]) -> x509.Name:
        """The subject with `values` filled in; every placeholder must have its value."""
        return x509.Name(
            [
                x509.NameAttribute(_ATTRIBUTES[attribute], template.format_map(values))
                for attribute, template in self.subject
            ]
        )

    def x509_key_usage(self) -> x509.KeyUsage:
        """The key usage extension."""
        bits = {bit: bit in self.key_usage for bit in _KEY_USAGES}
        return x509.KeyUsage(**bits, encipher_only=False, decipher_only=False)

    def x509_extended_key_usage(self) -> x509.ExtendedKeyUsage | None:
        """The extended key usage extension; None where the profile has none."""
        if not self.extended_key_usage:
            return None
        return x509.ExtendedKeyUsage([_EXTENDED[usage] for usage in self.extended_key_usage])

    def x509_basic_constraints(self) -> x509.BasicConstraints:
        """The basic constraints extension."""
        if self.ca is None:
            return x509.BasicConstraints(ca=False, path_length=None)
        return x509.BasicConstraints(ca=True, path_length=self.ca.path_length)


def load_profiles(path: Path = SHIPPED) -> Mapping[str, Profile]:
    """The profiles of a file, by name. Raises HubError(PKI_PROFILES_INVALID)."""
    data = read_bounded(path, bytes_max=PROFILES_BYTES_MAX, what="profiles")
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise HubError(
            Reason.PKI_PROFILES_INVALID, path=path, table="(file)", rule=str(error)
        ) from error
    profiles: dict[str, Profile] = {}
    for name, table in tables.items():
        try:
            profiles[name] = _profile(name, table)
        except _RuleError as error:
            raise HubError(
                Reason.PKI_PROFILES_INVALID, path=path, table=name, rule=str(error)
            ) from error
    for name in _REQUIRED:
        if name not in profiles:
            raise HubError(
                Reason.PKI_PROFILES_INVALID, path=path, table=name, rule="the table is missing"
            )
    if ("O", "{name}") not in profiles["root"].subject:
        rule = 'subject.O is not "{name}", where the name of the PKI is kept'
        raise HubError(Reason.PKI_PROFILES_INVALID, path=path, table="root", rule=rule)
    for profile in profiles.values():
        issuer = profiles.get(profile.issued_by)
        if profile.issued_by != SELF and (issuer is None or issuer.ca is None):
            rule = f"issued_by names {profile.issued_by!r}, which is no profile of a CA"
            raise HubError(Reason.PKI_PROFILES_INVALID, path=path, table=profile.name, rule=rule)
        if issuer is not None and issuer.is_sm2 != profile.is_sm2:
            rule = f"its CA {issuer.name} is of another algorithm"
            raise HubError(Reason.PKI_PROFILES_INVALID, path=path, table=profile.name, rule=rule)
    return profiles


class _RuleError(Exception):
    """A rule of the file that one table breaks."""


def _profile(name: str, table: object) -> Profile:
    if not isinstance(table, dict):
        raise _RuleError("is not a table")
    is_ca = _boolean(table, "ca")
    required = _MEMBERS | _CA_MEMBERS if is_ca else _MEMBERS
    missing = sorted(required - table.keys())
    optional = _OPTIONAL | (_CA_OPTIONAL if is_ca else frozenset())
    unknown = sorted(table.keys() - required - optional)
    if missing or unknown:
        raise _RuleError(f"missing members: {missing}; unknown members: {unknown}")
    validity_days = _integer(table, "validity_days", 1, 36525)
    alternative_names = table["alternative_names"]
    if alternative_names not in ("required", "none"):
        raise _RuleError('alternative_names is neither "required" nor "none"')
    key_usage = frozenset(_words(table, "key_usage", _KEY_USAGES))
    if (
        not key_usage
        or is_ca != ("key_cert_sign" in key_usage)
        or is_ca != ("crl_sign" in key_usage)
    ):
        raise _RuleError(
            "key_usage: not empty; key_cert_sign and crl_sign for a CA, and only there"
        )
    return Profile(
        name=name,
        issued_by=_text(table, "issued_by"),
        ca=_authority(table) if is_ca else None,
        validity_days=validity_days,
        renew_before_days=_integer(table, "renew_before_days", 0, validity_days - 1),
        backdate_minutes=_integer(table, "backdate_minutes", 0, 60),
        key_usage=key_usage,
        extended_key_usage=_words(table, "extended_key_usage", tuple(_EXTENDED)),
        alternative_names=alternative_names,
        subject=_subject(table["subject"], is_ca=is_ca),
        algorithms=_algorithms(table, is_ca=is_ca),
    )


def _algorithms(table: dict[str, object], *, is_ca: bool) -> tuple[str, ...]:
    value = table.get("algorithm", P256)
    algorithms = (value,) if isinstance(value, str) else _words(table, "algorithm", ALGORITHMS)
    if not algorithms or any(one not in ALGORITHMS for one in algorithms):
        raise _RuleError(f"algorithm is none of {', '.join(ALGORITHMS)}")
    if SM2 in algorithms and len(algorithms) > 1:
        raise _RuleError("algorithm: SM2 stands alone, its certificates are signed with SM2")
    if is_ca and algorithms not in ((P256,), (SM2,)):
        raise _RuleError(f"algorithm of a CA is {P256} or {SM2}")
    return algorithms


def _authority(table: dict[str, object]) -> Authority:
    url = None
    if "crl_url" in table:
        url = _text(table, "crl_url")
        if not url.startswith(("http://", "https://")):
            raise _RuleError("crl_url starts with neither http:// nor https://")
    return Authority(
        path_length=_integer(table, "path_length", 0, 3),
        crl_days=_integer(table, "crl_days", 1, 366),
        crl_url=url,
    )


def _subject(value: object, *, is_ca: bool) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or "CN" not in value:
        raise _RuleError("subject is not a table with at least CN")
    known = frozenset({"name"}) if is_ca else PLACEHOLDERS
    for attribute, template in value.items():
        if attribute not in _ATTRIBUTES:
            raise _RuleError(f"subject.{attribute} is none of {', '.join(_ATTRIBUTES)}")
        if not isinstance(template, str) or not template:
            raise _RuleError(f"subject.{attribute} is not text")
        try:
            foreign = sorted(_placeholders(template) - known)
        except ValueError as error:
            raise _RuleError(f"subject.{attribute}: {error}") from error
        if foreign:
            raise _RuleError(f"subject.{attribute} asks for {foreign}; known: {sorted(known)}")
    return tuple(value.items())


def _placeholders(template: str) -> frozenset[str]:
    parts = string.Formatter().parse(template)
    return frozenset(field for _, field, _, _ in parts if field is not None)


def _boolean(table: dict[str, object], member: str) -> bool:
    value = table.get(member)
    if not isinstance(value, bool):
        raise _RuleError(f"{member} is neither true nor false")
    return value


def _integer(table: dict[str, object], member: str, least: int, most: int) -> int:
    value = table[member]
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise _RuleError(f"{member} is not an integer from {least} to {most}")
    return value


def _text(table: dict[str, object], member: str) -> str:
    value = table[member]
    if not isinstance(value, str) or not value:
        raise _RuleError(f"{member} is not text")
    return value


def _words(table: dict[str, object], member: str, known: tuple[str, ...]) -> tuple[str, ...]:
    value = table[member]
    if not isinstance(value, list) or len(set(map(str, value))) != len(value):
        raise _RuleError(f"{member} is not a list without repetition")
    for word in value:
        if word not in known:
            raise _RuleError(f"{member}: {word!r} is none of {', '.join(known)}")
    return tuple(value)
