"""Time stamp tokens (RFC 3161): whose word is it that these bytes existed by then?

pyHanko verifies them, offline, with the anchors of the reader's trust file and nothing of the
system's. It is imported inside of functions, as in `pdf_file`.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from hub.proof.pdf.file import damaged
from hub.proof.reasons import ProofError, ProofReason, Verdict

if TYPE_CHECKING:
    from asn1crypto import cms
    from asn1crypto import x509 as asn1_x509
    from pyhanko_certvalidator import ValidationContext

TOKEN_BYTES_MAX: Final = 64 * 1024
_CMS_SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
_SM2_SIGNED_DATA: Final = "1.2.156.10197.6.1.4.2.2"
# Algorithms of the national standards begin so: known, and not computed by pyHanko.
_NATIONAL: Final = "1.2.156.10197."


def verify_token(token: bytes, stamped: bytes, anchors: Sequence[x509.Certificate]) -> int:
    """The time in seconds that a token (DER ContentInfo) vouches for, over the bytes `stamped`.

    Raises ProofError(TIME_STAMP_MALFORMED) for what is no token, (TIME_STAMP_INVALID); as *cannot
    check* (TIME_STAMP_NOT_CHECKED) for one with SM2 or SM3, or without pyHanko; (NO_STAMP_ANCHOR).
    """
    try:
        import pyhanko.sign.validation.generic_cms  # noqa: F401, PLC0415
    except ImportError as error:
        reason = ProofReason.TIME_STAMP_NOT_CHECKED
        raise ProofError(
            reason, "pyHanko is not installed", verdict=Verdict.CANNOT_CHECK
        ) from error
    data = _signed_data(token)
    return verify_signed_data(data, lambda name: hashlib.new(name, stamped).digest(), anchors)


def verify_signed_data(
    data: cms.SignedData,
    imprint: Callable[[str], bytes],
    anchors: Sequence[x509.Certificate],
    others: Sequence[asn1_x509.Certificate] = (),
) -> int:
    """The time that the SignedData of a token vouches for. `imprint` hashes what it is over.

    The chain is judged at that time, as RFC 3161 §4 leaves it. Raises ProofError(NO_STAMP_ANCHOR)
    as *cannot check*, and (TIME_STAMP_INVALID).
    """
    from pyhanko.sign.validation.generic_cms import validate_tst_signed_data  # noqa: PLC0415

    if not anchors:
        raise ProofError(ProofReason.NO_STAMP_ANCHOR, verdict=Verdict.CANNOT_CHECK)
    try:
        time = data["encap_content_info"]["content"].parsed["gen_time"].native
        context = offline_context(anchors, int(time.timestamp()), "soft-fail")
        context.certificate_registry.register_multiple(others)
        status = asyncio.run(validate_tst_signed_data(data, context, imprint))
    except damaged() as error:
        raise ProofError(ProofReason.TIME_STAMP_INVALID, type(error).__name__) from error
    if not (status["intact"] and status["valid"]):
        raise ProofError(ProofReason.TIME_STAMP_INVALID, "it is over something else")
    if status["trust_problem_indic"] is not None or status["validation_path"] is None:
        raise ProofError(ProofReason.TIME_STAMP_INVALID, "its chain is not trusted")
    return int(time.timestamp())


def offline_context(
    anchors: Sequence[x509.Certificate],
    at: int,
    revocation: str,
    *,
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
) -> ValidationContext:
    """What pyhanko-certvalidator may rely on: these anchors and lists, at `at` (seconds)."""
    from asn1crypto import x509 as asn1_x509  # noqa: PLC0415
    from pyhanko_certvalidator import ValidationContext  # noqa: PLC0415

    return ValidationContext(
        trust_roots=[
            asn1_x509.Certificate.load(item.public_bytes(Encoding.DER)) for item in anchors
        ],
        moment=datetime.fromtimestamp(at, UTC),
        allow_fetching=False,
        revocation_mode=revocation,
        crls=crls,
        ocsps=ocsps,
        # A list made after the signature says of earlier times what it says of its own.
        retroactive_revinfo=True,
    )


def _signed_data(token: bytes) -> cms.SignedData:
    # What stands in a ContentInfo is known by its type only once `tsp` is loaded.
    from asn1crypto import cms, tsp  # noqa: F401, PLC0415

    if len(token) > TOKEN_BYTES_MAX:
        raise ProofError(ProofReason.TIME_STAMP_MALFORMED, f"more than {TOKEN_BYTES_MAX} bytes")
    try:
        info = cms.ContentInfo.load(token, strict=True)
        kind = info["content_type"].dotted
        if kind == _SM2_SIGNED_DATA:
            raise ProofError(ProofReason.TIME_STAMP_NOT_CHECKED, kind, verdict=Verdict.CANNOT_CHECK)
        if kind != _CMS_SIGNED_DATA:
            raise ProofError(ProofReason.TIME_STAMP_MALFORMED, kind)
        data = info["content"]
        info_of_stamp = data["encap_content_info"]["content"].parsed
        (signer,) = data["signer_infos"]
        for algorithm in (
            info_of_stamp["message_imprint"]["hash_algorithm"]["algorithm"],
            signer["digest_algorithm"]["algorithm"],
            signer["signature_algorithm"]["algorithm"],
        ):
            if algorithm.dotted.startswith(_NATIONAL):
                raise ProofError(
                    ProofReason.TIME_STAMP_NOT_CHECKED,
                    algorithm.dotted,
                    verdict=Verdict.CANNOT_CHECK,
                )
    except damaged() as error:
        raise ProofError(ProofReason.TIME_STAMP_MALFORMED, type(error).__name__) from error
    return data
