"""Seals in electronic form (SESeal, GB/T 38540): made by the hub's own key, or taken as they are.

What is to be signed follows from the intent alone, except for the moment of making, so whoever
holds the seal-maker's key can compare the two (`check_made`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hub.domain.seal_key import FORMATS, KeyUse
from hub.domain.strict_json import Json
from hub.errors import HubError, Reason
from hub.proof import ses
from hub.proof.reasons import TEXTS, ProofError
from hub.proof.ses_checks import check_seal_period, check_seal_signature
from hub.proof.sm2 import SM2_WITH_SM3
from hub.seal.keys import SIGNED_BYTES_MAX
from hub.seal.seal_keys import UsableKey
from hub.seal.seal_store import ElectronicSeal, Material, SealOrigin
from hub.storage.statements import ENTRY_INDEX

VENDOR: Final = "SEALWAY"
"""`Vid` of the header: who made the software that made the seal."""

MAKING_MEMBERS: Final = (
    "number",
    "seal_type",
    "picture",
    "width_mm",
    "height_mm",
    "valid_from",
    "valid_until",
    "maker_key",
)
"""Members of `seal.make` and `seal.renew` about the electronic form: all of them or none."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an electronic seal shall say; times in seconds, `picture` the digest of a material."""

    seal: str
    title: str
    number: str
    seal_type: int
    picture: str
    width_mm: int
    height_mm: int
    valid_from: int
    valid_until: int
    maker_key: str

    @classmethod
    def of(cls, members: Mapping[str, Json]) -> Order | None:
        """The order in the members of an intent that was read; None where it says nothing of it."""
        if "number" not in members:
            return None
        return cls(
            seal=str(members["seal"]),
            title=str(members["title"]),
            number=str(members["number"]),
            seal_type=_integer(members, "seal_type"),
            picture=str(members["picture"]),
            width_mm=_integer(members, "width_mm"),
            height_mm=_integer(members, "height_mm"),
            valid_from=_integer(members, "valid_from"),
            valid_until=_integer(members, "valid_until"),
            maker_key=str(members["maker_key"]),
        )

    def info(self, picture: Material, signers: Sequence[bytes], create_time: datetime) -> bytes:
        """SES_SealInfo (DER), which the seal's maker signs. Raises HubError(FIELD_INVALID)."""
        try:
            info = ses.seal_info(
                vendor=VENDOR,
                number=self.number,
                type=self.seal_type,
                name=self.title,
                signer_x509s=signers,
                create_time=create_time,
                valid_from_time=moment_of(self.valid_from),
                valid_to_time=moment_of(self.valid_until),
                picture=ses.Picture(picture.format, picture.data, self.width_mm, self.height_mm),
            )
        except ProofError as error:
            raise HubError(Reason.FIELD_INVALID, field="number", rule=error.detail) from error
        if len(info) > SIGNED_BYTES_MAX:
            rule = (
                f"picture and certificates of at most {SIGNED_BYTES_MAX} bytes together: a PNG of "
                "few colours or an SVG is small"
            )
            raise HubError(Reason.FIELD_INVALID, field="picture", rule=rule)
        return info


async def make(
    order: Order,
    *,
    version: int,
    picture: Material,
    signers: Sequence[bytes],
    maker: UsableKey,
    now_us: int,
) -> ElectronicSeal:
    """The electronic seal of `order`, signed by `maker` and read again before it is believed.

    Raises HubError: FIELD_INVALID, ELECTRONIC_SEAL_INVALID, and what the key's home raises.
    """
    info = order.info(picture, signers, moment_of(now_us // 1_000_000))
    # What signs may be a device: it belongs on no loop.
    signature = await asyncio.to_thread(maker.signing.sign, info, FORMATS[KeyUse.MAKER])
    der = ses.assemble_seal(info, maker.key.x509_chain[0], SM2_WITH_SM3, signature)
    verified(der)
    return ElectronicSeal(
        seal=order.seal,
        version=version,
        number=order.number,
        origin=SealOrigin.MADE,
        format_version=ses.V4,
        der=der,
        picture=order.picture,
        maker_key=order.maker_key,
        valid_from_us=order.valid_from * 1_000_000,
        valid_until_us=order.valid_until * 1_000_000,
        entry=ENTRY_INDEX,
        create_time_us=now_us,
    )


def imported(seal: str, version: int, read: ses.Seal, now_us: int) -> ElectronicSeal:
    """A lawful seal from outside as it is kept: byte for byte, and marked as imported."""
    return ElectronicSeal(
        seal=seal,
        version=version,
        number=read.number,
        origin=SealOrigin.IMPORTED,
        format_version=read.version,
        der=read.der,
        picture="",
        maker_key="",
        valid_from_us=int(read.valid_from_time.timestamp()) * 1_000_000,
        valid_until_us=int(read.valid_to_time.timestamp()) * 1_000_000,
        entry=ENTRY_INDEX,
        create_time_us=now_us,
    )


def verified(der: bytes, at: int | None = None) -> ses.Seal:
    """The seal in `der`, whose maker's signature holds; with `at` (seconds), which is valid then.

    Who the maker is, is not asked here. Raises HubError(ELECTRONIC_SEAL_INVALID) with the rule.
    """
    try:
        read = ses.parse_seal(der)
        check_seal_signature(read)
        if at is not None:
            check_seal_period(read, at)
    except ProofError as error:
        text = TEXTS[error.reason]
        raise HubError(
            Reason.ELECTRONIC_SEAL_INVALID, rule=error.reason.value, en=text.en, zh=text.zh
        ) from error
    return read


def check_made(members: Mapping[str, Json], info: bytes, picture_digest: str) -> None:
    """That `info` is what an intent with these members ordered, whoever built it.

    For the holder of a seal-maker's key: `picture_digest` is the digest of the picture in `info`.
    Raises HubError(KEY_USAGE_REFUSED).
    """
    order = Order.of(members)
    if order is None:
        raise HubError(Reason.KEY_USAGE_REFUSED, kid="-")
    try:
        # A seal that lacks only maker and signature reads as one with stand-ins for both.
        read = ses.parse_seal(ses.assemble_seal(info, b"\x30\x00", SM2_WITH_SM3, b"\x00"))
    except (ProofError, ValueError) as error:
        raise HubError(Reason.KEY_USAGE_REFUSED, kid=order.maker_key) from error
    said = (
        read.number,
        read.type,
        read.name,
        picture_digest,
        read.picture.width_mm,
        read.picture.height_mm,
        int(read.valid_from_time.timestamp()),
        int(read.valid_to_time.timestamp()),
    )
    ordered = (
        order.number,
        order.seal_type,
        order.title,
        order.picture,
        order.width_mm,
        order.height_mm,
        order.valid_from,
        order.valid_until,
    )
    if said != ordered or read.signed_bytes != info:
        raise HubError(Reason.KEY_USAGE_REFUSED, kid=order.maker_key)


def moment_of(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _integer(members: Mapping[str, Json], name: str) -> int:
    value = members[name]
    assert type(value) is int, "the kind says so"
    return value
