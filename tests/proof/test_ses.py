"""Electronic seals and signatures under them: read, kept byte by byte, written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.proof.der import element, write_der
from hub.proof.reasons import ProofError, ProofReason, Verdict
from hub.proof.ses import asn1 as wire
from hub.proof.ses.seal import (
    SEAL_BYTES_MAX,
    SIGNATURE_BYTES_MAX,
    Extension,
    Picture,
    Seal,
    assemble_seal,
    assemble_signature,
    parse_seal,
    parse_signature,
    seal_info,
    tbs_sign,
)
from hub.proof.sm2 import SM2_WITH_SM3, sm3
from tests.proof.seals import PNG, golden_seal, golden_signature, seal_of
from tests.proof.sm2_pki import root

ROOT = root()
SIGNER = ROOT.issue("签章者")


def written_again(seal: Seal, **changes: Any) -> bytes:
    members: dict[str, Any] = {
        "vendor": seal.vendor,
        "number": seal.number,
        "type": seal.type,
        "name": seal.name,
        "signer_x509s": seal.signer_x509s,
        "create_time": seal.create_time,
        "valid_from_time": seal.valid_from_time,
        "valid_to_time": seal.valid_to_time,
        "picture": seal.picture,
        "extensions": seal.extensions,
    }
    return seal_info(**(members | changes))


def test_the_golden_seal_is_read_and_written_again_byte_by_byte() -> None:
    """Digests as published; what is made here is what others read."""
    der = golden_seal()
    seal = parse_seal(der)

    assert sm3(der).hex() == "3fc6c8d062acb37054e1140db74d61b9d99127f968cd376776315a60c50f9bf5"
    assert sm3(seal.signed_bytes).hex() == (
        "06f2dfc18c3151e52614568c46845e988632fdba7ba8ced1ce8922ceb3f0f5fb"
    )
    assert (seal.version, seal.number, seal.name) == (4, "TEST-SEAL-0001", "测试专用章")
    assert (seal.picture.type, seal.picture.width_mm, seal.picture.height_mm) == ("PNG", 40, 40)
    assert seal.valid_to_time == datetime(2035, 1, 1, tzinfo=UTC)
    info = written_again(seal)
    assert info == seal.signed_bytes
    assert assemble_seal(info, seal.maker_x509, seal.algorithm, seal.signature) == der


def test_the_golden_signature_is_read_and_written_again_byte_by_byte() -> None:
    """The seal inside is the seal."""
    der = golden_signature()
    signature = parse_signature(der)

    assert sm3(der).hex() == "66fd7b9274c8072c169a8d63b3524d8b46e1aeb2b1d5c2f37170a50bb521399f"
    assert signature.seal == parse_seal(golden_seal())
    assert signature.data_hash == sm3(b"message digest")
    assert signature.sign_time == datetime(2025, 6, 1, tzinfo=UTC)
    tbs = tbs_sign(
        seal=signature.seal.der,
        sign_time=signature.sign_time,
        data_hash=signature.data_hash,
        protected=signature.protected,
    )
    assert tbs == signature.signed_bytes
    assert (
        assemble_signature(tbs, signature.signer_x509, signature.algorithm, signature.signature)
        == der
    )


def test_extensions_stamps_and_times_of_other_zones_survive() -> None:
    """The default of `critical` is left out when written, read either way."""
    extensions = (Extension("1.2.156.1", False, b"a"), Extension("1.2.156.2", True, b""))
    east = timezone(timedelta(hours=8))
    seal = seal_of(ROOT, SIGNER, extensions=extensions)
    tbs = tbs_sign(
        seal=seal,
        sign_time=datetime(2025, 6, 1, 8, 0, 0, 999, tzinfo=east),
        data_hash=bytes(32),
        protected="/a",
        extensions=extensions,
    )
    signature = parse_signature(assemble_signature(tbs, b"x", SM2_WITH_SM3, b"y", b"token"))

    assert signature.seal.extensions == signature.extensions == extensions
    assert signature.sign_time == datetime(2025, 6, 1, tzinfo=UTC)
    assert signature.time_stamp == b"token"
    assert b"\x01\x01\x00" not in tbs


def info_of(der: bytes) -> wire.SealInfo:
    return asn1.decode_der(wire.SealInfo, der)


def sealed(info: wire.SealInfo, time_stamp: bytes | None = None) -> bytes:
    return write_der(
        wire.Seal(
            info=element(write_der(info)),
            certificate=b"x",
            algorithm=ObjectIdentifier(SM2_WITH_SM3),
            signature=asn1.BitString(b"y", 0),
            time_stamp=None if time_stamp is None else asn1.BitString(time_stamp, 0),
        )
    )


def golden_info() -> wire.SealInfo:
    return info_of(parse_seal(golden_seal()).signed_bytes)


def test_a_written_default_is_read_as_the_default() -> None:
    """Seals of the tax authorities carry `critical FALSE`; their bytes are kept."""
    info = golden_info()
    info.extensions = [wire.Extension(oid=ObjectIdentifier("1.2"), critical=False, value=b"")]
    seal = parse_seal(sealed(info))

    assert b"\x01\x01\x00" in seal.signed_bytes
    assert seal.extensions == (Extension("1.2", False, b""),)


def test_version_5_is_version_4_with_a_time_stamp() -> None:
    """The stamp belongs to no other version."""
    info = golden_info()
    with pytest.raises(ProofError, match="SEAL_MALFORMED"):
        parse_seal(sealed(info, b"token"))

    info.header.version = 5

    assert parse_seal(sealed(info, b"token")).time_stamp == b"token"
    assert parse_seal(sealed(info)).version == 5


def test_a_version_stands_in_its_own_shape() -> None:
    """What one program reads as version 1 another must not read as version 4."""
    four, one = golden_info(), golden_info()
    one.header.version = 1
    bits = asn1.BitString(b"y", 0)
    by = wire.SignInfoV1(certificate=b"x", algorithm=ObjectIdentifier(SM2_WITH_SM3), signature=bits)
    old = write_der(wire.SealV1(info=element(write_der(four)), sign_info=by))

    for der, detail in ((sealed(one), "version 1 in"), (old, "version 4 in")):
        with pytest.raises(ProofError, match=detail):
            parse_seal(der)


def test_each_part_has_its_length() -> None:
    """A digest of 32 bytes, whole bytes, a signature of its seal's version, 64 extensions."""
    signature = parse_signature(golden_signature())
    tbs = asn1.decode_der(wire.ToSign, signature.signed_bytes)

    def spoilt(**changes: Any) -> bytes:
        members = {name: getattr(tbs, name) for name in wire.ToSign.__annotations__} | changes
        return assemble_signature(
            write_der(wire.ToSign(**members)), b"x", SM2_WITH_SM3, signature.signature
        )

    many = [wire.Extension(oid=ObjectIdentifier("1.2"), critical=None, value=b"")] * 65
    for changes, detail in (
        ({"version": 5}, "another version"),
        ({"data_hash": asn1.BitString(bytes(31), 0)}, "not 32 bytes"),
        ({"data_hash": asn1.BitString(bytes(32), 1)}, "part of a byte"),
        ({"extensions": many}, "more than 64 extensions"),
    ):
        with pytest.raises(ProofError, match=detail):
            parse_signature(spoilt(**changes))


@pytest.mark.parametrize("version", [0, 2, 3, 6, -1, 2**80])
def test_an_unknown_version_cannot_be_checked(version: int) -> None:
    """Neither valid nor invalid."""
    info = golden_info()
    info.header.version = version
    with pytest.raises(ProofError) as caught:
        parse_seal(sealed(info))

    assert caught.value.reason is ProofReason.SEAL_VERSION
    assert caught.value.verdict is Verdict.CANNOT_CHECK


def test_signers_may_be_listed_by_digest_if_the_list_says_so() -> None:
    """certListType and what stands there agree."""
    seal = parse_seal(golden_seal())
    for list_type in (1, 2):
        info = golden_info()
        info.property = element(
            write_der(
                wire.PropertyOfDigests(
                    type=1,
                    name="章",
                    list_type=list_type,
                    digests=[wire.CertDigest(type=asn1.PrintableString("SM3"), value=bytes(32))],
                    created=asn1.GeneralizedTime(seal.create_time),
                    valid_from=asn1.GeneralizedTime(seal.valid_from_time),
                    valid_to=asn1.GeneralizedTime(seal.valid_to_time),
                )
            )
        )
        if list_type == 2:
            assert parse_seal(sealed(info)).signer_digests[0].value == bytes(32)
        else:
            with pytest.raises(ProofError, match="SEAL_MALFORMED"):
                parse_seal(sealed(info))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda der: der + b"\x00",
        lambda der: der[:-1],
        lambda der: b"",
        lambda der: b"\x30\x80" + der[4:] + b"\x00\x00",
        # One more byte of length than needed.
        lambda der: b"\x30\x83\x00" + der[2:],
        lambda der: der.replace(b"ES", b"SE", 1),
        lambda der: der.replace(b"\x02\x01\x28\x02\x01\x28", b"\x02\x01\x00\x02\x01\x28", 1),
        lambda der: der.replace(b"\x02\x01\x28\x02\x01\x28", b"\x02\x01\x28\x02\x01\xd8", 1),
        lambda der: der.replace(b"20350101000000Z", b"20351301000000Z"),
        lambda der: der.replace(b"TEST-SEAL", b"\xff\xffST-SEAL"),
        lambda der: der + bytes(SIGNATURE_BYTES_MAX),
    ],
)
def test_what_is_not_strict_der_is_malformed(spoil: Any) -> None:
    """BER, trailing bytes, wrong letters, sizes and times out of range."""
    for parse, der in ((parse_seal, golden_seal()), (parse_signature, golden_signature())):
        with pytest.raises(ProofError) as caught:
            parse(spoil(der))

        assert caught.value.reason is ProofReason.SEAL_MALFORMED


@pytest.mark.parametrize(
    "changes",
    [
        {"signer_x509s": []},
        {"signer_x509s": [b"x"] * 257},
        {"name": "章" * 1025},
        {"number": "编号"},
        {"type": -1},
        {"picture": Picture("PNG", PNG, 0, 40)},
        {"picture": Picture("PNG", PNG, 40, 1001)},
        {"extensions": [Extension("1.2", False, b"")] * 65},
    ],
)
def test_what_could_not_be_read_is_not_written(changes: dict[str, Any]) -> None:
    """The limits of the reader hold for the writer."""
    with pytest.raises(ProofError) as caught:
        written_again(parse_seal(golden_seal()), **changes)

    assert caught.value.reason is ProofReason.SEAL_MALFORMED


def test_no_signature_is_prepared_under_a_seal_of_another_version(shared_data: Path) -> None:
    """Version 1 and 5 are read only."""
    for name in ("UserV1.esl", "UserV5.esl"):
        with pytest.raises(ProofError, match="version 4"):
            tbs_sign(
                seal=(shared_data / "seals" / name).read_bytes(),
                sign_time=datetime.now(UTC),
                data_hash=bytes(32),
                protected="/a",
            )


@pytest.mark.parametrize(
    ("name", "version", "number", "signers"),
    [
        ("UserV1.esl", 1, "40C8CDD24DEF43388B86E62CCE1D6832", 1),
        ("UserV4.esl", 4, "51f044b76510434e9bc67a1185c2fba5", 1),
        ("UserV5.esl", 5, "09aaf39291e049e4b3d716414590937e", 1),
        ("SESealData.DER", 4, "esID130600", 2),
    ],
)
def test_seals_that_others_made_are_read(
    name: str, version: int, number: str, signers: int, shared_data: Path
) -> None:
    """All three versions, several signers, extensions with and without their default."""
    seal = parse_seal((shared_data / "seals" / name).read_bytes())

    assert (seal.version, seal.number, len(seal.signer_x509s)) == (version, number, signers)
    assert seal.algorithm == SM2_WITH_SM3


def test_signatures_of_version_1_are_read() -> None:
    """Times as UTCTime; a time stamp token in its place leaves the time open."""
    seal = golden_info()
    seal.header.version = 1
    times = [asn1.UTCTime(datetime(2025, 1, 1, tzinfo=UTC))] * 3
    seal.property = element(
        write_der(
            wire.PropertyV1(
                type=1,
                name="章",
                certificates=[b"x"],
                created=times[0],
                valid_from=times[1],
                valid_to=times[2],
            )
        )
    )
    oid = ObjectIdentifier(SM2_WITH_SM3)
    bits = asn1.BitString(b"y", 0)
    der = write_der(
        wire.SealV1(
            info=element(write_der(seal)),
            sign_info=wire.SignInfoV1(certificate=b"x", algorithm=oid, signature=bits),
        )
    )
    for time, expected in (
        (write_der(times[0]), datetime(2025, 1, 1, tzinfo=UTC)),
        (b"\x30\x03\x02\x01\x01", None),
    ):
        tbs = wire.ToSignV1(
            version=1,
            seal=element(der),
            time=asn1.BitString(time, 0),
            data_hash=asn1.BitString(bytes(32), 0),
            protected=asn1.IA5String("/a"),
            certificate=b"x",
            algorithm=oid,
        )
        signature = parse_signature(
            write_der(wire.SignatureV1(to_sign=element(write_der(tbs)), signature=bits))
        )

        assert (signature.version, signature.sign_time) == (1, expected)
        assert signature.seal.version == 1


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_ends_in_a_declared_error(data: st.DataObject) -> None:
    """Bytes changed, cut, repeated or any at all: a value, SEAL_MALFORMED or SEAL_VERSION."""
    parse, der = data.draw(
        st.sampled_from(((parse_seal, golden_seal()), (parse_signature, golden_signature())))
    )
    damaged = bytearray(der)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(der)))
    for text in (
        bytes(damaged),
        bytes(damaged[:cut]),
        bytes(damaged[cut:]),
        data.draw(st.binary()),
    ):
        try:
            parse(text)
        except ProofError as error:
            assert error.reason in (ProofReason.SEAL_MALFORMED, ProofReason.SEAL_VERSION)


def test_sizes_are_limited() -> None:
    """A seal holds a picture, not a film."""
    for parse, bytes_max in (
        (parse_seal, SEAL_BYTES_MAX),
        (parse_signature, SIGNATURE_BYTES_MAX),
    ):
        with pytest.raises(ProofError, match=f"more than {bytes_max} bytes"):
            parse(b"\x30" + bytes(bytes_max))
