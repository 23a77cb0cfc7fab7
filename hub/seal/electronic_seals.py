"""Seals in electronic form (SESeal, GB/T 38540): made by the hub's own key, or taken as they are.

What is signed follows from the intent, by `hub.proof.sealing.seals`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hub.errors import HubError, Reason
from hub.proof.reason_texts import TEXTS
from hub.proof.reasons import ProofError
from hub.proof.sealing.records import Mandate
from hub.proof.sealing.seals import Order, moment_of
from hub.proof.ses import seal as ses
from hub.proof.ses.checks import (
    check_made,
    check_maker,
    check_seal_period,
    check_seal_signature,
)
from hub.proof.sm2 import SM2_WITH_SM3
from hub.proof.x509.sm2 import X509
from hub.seal.keys import SealWork
from hub.seal.seal_keys import UsableKey
from hub.seal.seal_store import ElectronicSeal, Material, SealOrigin
from hub.storage.statements import ENTRY_INDEX


async def make(
    order: Order,
    *,
    mandate: Mandate,
    version: int,
    picture: Material,
    signers: Sequence[bytes],
    maker: UsableKey,
    now_us: int,
) -> ElectronicSeal:
    """The electronic seal of `order`, signed by `maker` and read again before it is believed.

    Raises HubError: FIELD_INVALID, ELECTRONIC_SEAL_INVALID, and what the key's home raises.
    """
    info = order.info(picture.format, picture.data, signers, moment_of(now_us // 1_000_000))
    # What signs may be a device: it belongs on no loop.
    signature = await asyncio.to_thread(maker.signing.sign_seal, SealWork(mandate, info))
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


def verified(der: bytes) -> ses.Seal:
    """The seal in `der`, whose maker's signature holds; who the maker is, is not asked.

    Raises HubError(ELECTRONIC_SEAL_INVALID) with the rule.
    """
    with _refusing():
        read = ses.parse_seal(der)
        check_seal_signature(read)
    return read


def lawful(der: bytes, at: int, makers: Sequence[X509]) -> ses.Seal:
    """The seal in `der`, valid `at` (seconds), by a maker for whom one of `makers` vouches
    (GB/T 38540 §6.3). Whether the maker was revoked since is not known here.

    Raises HubError(ELECTRONIC_SEAL_INVALID) with the rule.
    """
    read = verified(der)
    with _refusing():
        check_maker(read, makers, at)
        check_made(read, at)
        check_seal_period(read, at)
    return read


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except ProofError as error:
        text = TEXTS[error.reason]
        raise HubError(
            Reason.ELECTRONIC_SEAL_INVALID, rule=error.reason.value, en=text.en, zh=text.zh
        ) from error
