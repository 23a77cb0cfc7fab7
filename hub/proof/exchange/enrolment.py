"""The key of a system, as the log proves it: the entry that enrolled it carries the proof that its
holder has it (formats.md §2)."""

from __future__ import annotations

from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from hub.proof.encoding import b64u_decode, parse_object
from hub.proof.jose import Algorithm, RegisteredKey, string, thumbprint
from hub.proof.log.receipt import LogTrust, open_proof, parse_receipt, read_act
from hub.proof.reasons import ProofError, ProofReason

_ENROLMENTS: Final = frozenset({"system.enrolled", "system.rotated"})


def enrolled_key(receipt: str, trust: LogTrust) -> RegisteredKey:
    """The signing key that an entry of the trusted log enrols for a system.

    Whether it has ended since, the entry cannot know. Raises ProofError: as `parse_receipt`,
    `open_proof` and `read_act`, BODY_KIND for an entry that enrols no system, CLAIM_INVALID where
    its request is not signed by the key that it names.
    """
    parsed = parse_receipt(receipt.encode())
    open_proof(parsed, parsed.proof, trust)
    kind = read_act(parsed.body, trust.origin).kind
    data = parse_object(parsed.body).get("data")
    if kind not in _ENROLMENTS or not isinstance(data, dict):
        raise ProofError(ProofReason.BODY_KIND, kind)
    try:
        request = x509.load_der_x509_csr(b64u_decode(string(data, "signing_request")))
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or not request.is_signature_valid:
            raise ProofError(ProofReason.CLAIM_INVALID, "signing_request")
        kid, use, owner = (
            string(data, name) for name in ("signing_key_id", "signing_use", "system")
        )
        if thumbprint(key) != kid:
            raise ProofError(ProofReason.CLAIM_INVALID, "signing_key_id")
    except (KeyError, ValueError) as error:
        raise ProofError(ProofReason.CLAIM_INVALID, "signing_request") from error
    return RegisteredKey(kid, Algorithm.ES256, use, owner, key)
