"""What an electronic seal (SESeal, GB/T 38540) must say to be the one that officers approved.

What is signed follows from the intent alone, but for the moment of making: whoever holds the
seal-maker's key makes the bytes again and compares (`check_made`), the hub by the same functions
by which it composed them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from hub.domain.seal_key import SIGNED_BYTES_MAX
from hub.errors import HubError, Reason
from hub.proof.encoding import Json, b64u, digest
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import SKEW_S, refused
from hub.proof.ses import seal as ses
from hub.proof.ses.checks import seconds
from hub.proof.sm2 import SM2_WITH_SM3

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

    def info(
        self, format: str, picture: bytes, signers: Sequence[bytes], create_time: datetime
    ) -> bytes:
        """SES_SealInfo (DER), which the seal's maker signs; `picture` is of `format`.

        Raises HubError(FIELD_INVALID).
        """
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
                picture=ses.Picture(format, picture, self.width_mm, self.height_mm),
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


def check_made(
    name: str, members: Mapping[str, Json], info: bytes, *, maker_key: str, now: int
) -> None:
    """`info` (SES_SealInfo, DER) is exactly what the intent `name` with these members orders of
    the key `maker_key`, made at `now` (seconds).

    Picture and certificates are taken from the bytes and found in the intent, the picture by its
    digest; with them everything is encoded again. Raises HubError(INTENT_NOT_APPROVED) with the
    rule.
    """
    order = Order.of(members)
    if order is None:
        raise refused(name, "it orders no electronic seal")
    if order.maker_key != maker_key:
        raise refused(name, "another key shall make the seal")
    try:
        # A seal that lacks only maker and signature reads as one with stand-ins for both.
        read = ses.parse_seal(ses.assemble_seal(info, b"\x30\x00", SM2_WITH_SM3, b"\x00"))
    except (ProofError, ValueError) as error:
        raise refused(name, "the bytes are no electronic seal") from error
    if digest(read.picture.data) != order.picture:
        raise refused(name, "the seal shows another picture")
    if not {b64u(der) for der in read.signer_x509s} <= _leaves(members):
        raise refused(name, "the seal names a signer's certificate that was not approved")
    if abs(seconds(read.create_time) - now) > SKEW_S:
        raise refused(name, "the seal is of another time")
    picture = read.picture
    if order.info(picture.type, picture.data, read.signer_x509s, read.create_time) != info:
        raise refused(name, "the seal says something that was not approved")


def moment_of(seconds: int) -> datetime:
    """The moment `seconds` after 1970 UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def _leaves(members: Mapping[str, Json]) -> set[str]:
    """The certificates (base64url) that the intent puts in force."""
    listed = members.get("certificates")
    chains = (
        [one["x509_chain"] for one in listed if isinstance(one, dict)]
        if isinstance(listed, list)
        else []
    )
    return {str(chain[0]) for chain in chains if isinstance(chain, list) and chain}


def _integer(members: Mapping[str, Json], name: str) -> int:
    value = members[name]
    assert type(value) is int, "the kind says so"
    return value
