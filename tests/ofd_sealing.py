"""Seals for OFD documents of tests: an SM2 PKI in memory, a seal, and the key that uses it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hub.domain.certificate import Custody
from hub.domain.seal_key import KeyAlgorithm
from hub.proof.ses.seal import Picture
from hub.proof.sm2 import sm3
from hub.proof.x509.make_sm2 import make_crl
from hub.proof.x509.sm2 import parse_crl, parse_x509
from hub.seal.documents.ofd_package import OfdPackage
from hub.seal.documents.ofd_seal import FORMAT, OfdSealer, SealTrust, StampPlace
from tests.proof import ofd_samples
from tests.proof.seals import seal_of
from tests.proof.sm2_pki import SIGNER, Member, root

TIME: Final = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
PLACE: Final = StampPlace(1, 120, 220, 40, 40)
# One pixel; what is in the picture is nobody's business here.
PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0500f00048501808498ca21"
    "0000000049454e44ae426082"
)


@dataclass
class MemberKey:
    """A signing key in memory, which remembers what it signed."""

    member: Member
    algorithm: KeyAlgorithm = KeyAlgorithm.SM2
    custody: Custody = Custody.HUB_FILE
    signed: list[bytes] = field(default_factory=list)

    @property
    def kid(self) -> str:
        return sm3(self.member.der).hex()

    @property
    def x509_chain(self) -> tuple[bytes, ...]:
        return (self.member.der,)

    def sign(self, signing_input: bytes, format: str) -> bytes:
        assert format == FORMAT
        self.signed.append(signing_input)
        return self.member.key.sign(signing_input)


@dataclass(frozen=True)
class Office:
    """A root, a seal-maker and a signer with the seal that was made for it."""

    root: Member
    maker: Member
    signer: Member
    seal: bytes
    key: MemberKey

    @classmethod
    def open(cls, **changes: Any) -> Office:
        """A new office; `changes` go to the seal."""
        top = root()
        maker, signer = top.issue("制章者", SIGNER), top.issue("市场监督管理局", SIGNER)
        picture = Picture("PNG", PNG, 40, 40)
        seal = seal_of(maker, signer, **({"picture": picture} | changes))
        return cls(top, maker, signer, seal, MemberKey(signer))

    def crl_der(self, *revoked: Member, at: datetime = TIME) -> bytes:
        """The root's revocation list of the day of `at`."""
        return make_crl(
            issuer=self.root.subject,
            this_update=at - timedelta(hours=1),
            next_update=at + timedelta(hours=1),
            revoked={parse_x509(member.der).serial: at - timedelta(days=9) for member in revoked},
            sign=self.root.key.sign,
        )

    def trust(self, *revoked: Member, at: datetime = TIME) -> SealTrust:
        """Whom a sealer trusts: the root, for both."""
        anchors = (parse_x509(self.root.der),)
        return SealTrust(anchors, anchors, (parse_crl(self.crl_der(*revoked, at=at)),))

    def sealer(self, time: datetime = TIME) -> OfdSealer:
        """The seal, ready for use."""
        return OfdSealer.open(self.seal, self.key, self.trust(), time)

    def sealed(
        self,
        package: OfdPackage | None = None,
        places: Sequence[StampPlace] = (PLACE,),
        *,
        closing: bool = False,
    ) -> OfdPackage:
        """The sample, or `package`, with this office's seal on it."""
        sample = ofd_samples.package() if package is None else package
        return self.sealer().apply(sample, places, TIME, closing=closing)
