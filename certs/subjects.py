"""Whom an X.509 certificate names and for what: checked going in, read coming out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from typing import Final

from cryptography import x509

from certs.keys import check_name
from certs.profiles import Profile
from hub.errors import HubError, Reason

ALTERNATIVE_NAMES_MAX: Final = 32

_DNS_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*"
)
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC: Final = re.compile(rf"[{_USCC_ALPHABET}]{{18}}")


def check_values(
    profile: Profile,
    common_name: str,
    organization: str | None,
    organization_identifier: str | None,
) -> Mapping[str, str]:
    """What the profile's subject asks for, no more and no less. Raises HubError(FIELD_INVALID)."""
    given = {
        "common_name": common_name,
        "organization": organization,
        "organization_identifier": organization_identifier,
    }
    values: dict[str, str] = {}
    for name, text in given.items():
        asked = name in profile.placeholders
        if asked != (text is not None):
            rule = f"the profile {profile.name} {'needs it' if asked else 'does not carry it'}"
            raise HubError(Reason.FIELD_INVALID, field=name, rule=rule)
        if text is not None:
            check_name(name, text)
            values[name] = text
    if organization_identifier is not None:
        _check_credit_code(organization_identifier)
    return values


def check_alternative_names(
    profile: Profile, dns_names: Sequence[str], ip_addresses: Sequence[str]
) -> x509.SubjectAlternativeName | None:
    """The names and addresses as an extension. Raises HubError(FIELD_INVALID)."""
    count = len(dns_names) + len(ip_addresses)
    if profile.alternative_names == "none":
        if count:
            rule = f"the profile {profile.name} carries no DNS names or addresses"
            raise HubError(Reason.FIELD_INVALID, field="dns_names", rule=rule)
        return None
    if not 1 <= count <= ALTERNATIVE_NAMES_MAX:
        rule = f"the profile {profile.name} needs 1 to {ALTERNATIVE_NAMES_MAX} names or addresses"
        raise HubError(Reason.FIELD_INVALID, field="dns_names", rule=rule)
    names: list[x509.GeneralName] = []
    for name in dns_names:
        if not _DNS_NAME.fullmatch(name):
            rule = "a lower-case DNS name without wildcard, international names in xn-- form"
            raise HubError(Reason.FIELD_INVALID, field="dns_names", rule=rule)
        names.append(x509.DNSName(name))
    for text in ip_addresses:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError as error:
            rule = "an IPv4 or IPv6 address"
            raise HubError(Reason.FIELD_INVALID, field="ip_addresses", rule=rule) from error
    return x509.SubjectAlternativeName(names)


def alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    """The names and addresses in `certificate`, if any."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def subject_text(name: x509.Name) -> str:
    """A subject as RFC 4514 text, with the name of the organisation's identifier spelled out."""
    return name.rfc4514_string({x509.NameOID.ORGANIZATION_IDENTIFIER: "organizationIdentifier"})


def has_usage(certificate: x509.Certificate, profile: Profile) -> bool:
    """Whether constraints and usages are exactly those of `profile`."""
    expected = (
        (x509.BasicConstraints, profile.x509_basic_constraints()),
        (x509.KeyUsage, profile.x509_key_usage()),
        (x509.ExtendedKeyUsage, profile.x509_extended_key_usage()),
    )
    present = {type(extension.value): extension.value for extension in certificate.extensions}
    return all(present.get(kind) == value for kind, value in expected)


def _check_credit_code(code: str) -> None:
    """GB 32100-2015: 18 characters, the last one weighted modulo 31."""
    if _USCC.fullmatch(code):
        total = sum(_USCC_ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
        if _USCC_ALPHABET[-total % 31] == code[17]:
            return
    rule = "a unified social credit code: 18 characters with a matching check character"
    raise HubError(Reason.FIELD_INVALID, field="organization_identifier", rule=rule)
