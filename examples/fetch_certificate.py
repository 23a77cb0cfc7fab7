"""An intake platform asks for two fields of a company's licence, and believes only what verifies.

Run with `python -m examples.fetch_certificate client.toml CREDIT_CODE`; the profile is what
`sealway system add` wrote for the platform. The request is signed: keep it, it is evidence.
"""

from __future__ import annotations

import sys
import time
import uuid
from pathlib import Path

from connectors.client import HubClient
from connectors.profile import load_profile
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from hub.proof.encoding import digest
from hub.proof.exchange.request import Holder, RequestClaims, RequestedCertificate, sign_request
from hub.proof.log.receipt import Answered, verify_receipt
from hub.proof.records.sd_jwt import Expectation, verify_presentation
from hub.proof.trust import parse_trust

RPC = "/hub.exchange.v1.ExchangeService/FetchCertificates"
TYPE, FIELDS = "11100000MB0143028R001", frozenset({"name", "scope"})


def main(profile_file: str, credit_code: str) -> None:
    """Ask, verify the receipt and the seal, print. Raises HubRefusedError, ProofError."""
    profile = load_profile(Path(profile_file))
    trust = parse_trust(profile.trust.read_bytes())
    vct, holder = f"https://{profile.origin}/vct/{TYPE}", ("001", credit_code)
    wanted = RequestedCertificate(vct, tuple(FIELDS), holder=Holder(*holder))
    with HubClient(profile) as client:
        now = int(time.time())
        claims = RequestClaims(
            iss=profile.name, aud=profile.origin, region=profile.region, rpc=RPC,
            jti=str(uuid.uuid4()), iat=now, exp=now + 60, ath=digest(client.token().text),
            certificates=(wanted,), service_item="331022003000", matter="330000-2026-000017",
            basis="行政许可法 第三十一条", clerk="clerks/7", log=None,
        )  # fmt: skip
        signed = sign_request(claims, profile.signer())
        answer: exchange_pb2.FetchCertificatesResponse = client.call(
            exchange_pb2_grpc.ExchangeServiceStub(client.channel).FetchCertificates,
            exchange_pb2.FetchCertificatesRequest(request_id=claims.jti, signed_request=signed),
        )
    (given,), proof = answer.certificates, answer.receipt.json.encode()
    state = given.State.Name(given.state).removeprefix("STATE_").lower()
    answered = Answered(state, given.presentation or None)
    receipt = verify_receipt(proof, [signed], profile.name, [answered], trust.log)
    print(f"{state}; log entry {receipt.index} ({receipt.grade})")
    if given.presentation:
        logged, anchors = receipt.entry.certificates[0], trust.seal_anchors
        asked = Expectation(profile.origin, profile.region, vct, FIELDS, logged.cert, holder)
        shown = verify_presentation(given.presentation, asked, keys=None, anchors=anchors, now=now)
        print(*(f"{name}: {shown.disclosed.get(name)}" for name in sorted(FIELDS)), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
