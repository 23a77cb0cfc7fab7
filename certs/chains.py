"""Whether a chain leads to the anchor of its profile: judged as those judge who will rely on it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import verification

from certs.profiles import Profile
from hub.errors import HubError, Reason
from hub.proof.reasons import ProofError
from hub.proof.x509.chain import check_x509_chain
from hub.proof.x509.sm2 import check_chain, parse_x509


def check_leads_to(
    rules: Profile,
    chain: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> None:
    """`chain` (leaf first, without anchor) leads to one of `anchors`, all in force at `now`.

    Certificates for TLS as TLS does (RFC 5280 with the algorithms of the web), those of seals as
    `hub.proof` does wherever a seal is verified. Raises HubError(X509_UNTRUSTED).
    """
    check = _as_tls if rules.extended_key_usage else _as_sm2_seals if rules.is_sm2 else _as_seals
    try:
        check(chain, anchors, now)
    except (verification.VerificationError, ProofError) as error:
        rule = f"no valid chain to the anchor of {rules.name} at that time"
        raise HubError(Reason.X509_UNTRUSTED, profile=rules.name, rule=rule) from error


def _as_tls(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime
) -> None:
    store = verification.Store(list(anchors))
    policy = verification.PolicyBuilder().store(store).time(now).max_chain_depth(1)
    policy = policy.extension_policies(
        ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
        ee_policy=verification.ExtensionPolicy.permit_all(),
    )
    policy.build_client_verifier().verify(chain[0], list(chain[1:]))


def _as_seals(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime
) -> None:
    check_x509_chain(chain, anchors, at=int(now.timestamp()))


def _as_sm2_seals(
    chain: Sequence[x509.Certificate], anchors: Sequence[x509.Certificate], now: datetime
) -> None:
    leaf, *others = [parse_x509(one.public_bytes(Encoding.DER)) for one in chain]
    pinned = [parse_x509(one.public_bytes(Encoding.DER)) for one in anchors]
    check_chain(leaf, others, pinned, at=int(now.timestamp()))
