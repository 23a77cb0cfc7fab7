"""A hub for the command line to talk to: real mTLS, real receipts and seals, and it can cheat.

It keeps the API's contract as far as these tests call it; `refuse` queues refusals per method, and
`before_log` and `after_log` change a fetched answer the way a dishonest hub would.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import grpc
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from google.protobuf.message import Message

from certs.keys import make_csr, new_key, save_key
from certs.pki import Pki
from certs.server import server_key_and_cert
from connectors.profile import profile_text
from hub import rpc
from hub.access.v1 import access_pb2, access_pb2_grpc
from hub.errors import HubError
from hub.exchange.v1 import exchange_pb2, exchange_pb2_grpc
from hub.ledger.v1 import ledger_pb2, ledger_pb2_grpc
from hub.proof.encoding import Json, b64, b64u, b64u_decode, digest, emit_json, parse_object
from hub.proof.jose import es256_signer
from hub.proof.log.merkle import consistency_path, inclusion_path, root
from hub.proof.log.note import KeyType, VerifierKey, sign_checkpoint
from hub.proof.log.receipt import commit, entry_bytes, entry_leaf, make_receipt, proof_text
from hub.proof.officers.approval import intent_digest
from hub.proof.records.sd_jwt import (
    Custody,
    RecordClaims,
    Source,
    StatusReference,
    present,
    seal_record,
)
from hub.proof.trust import Trust, trust_file
from hub.seal.v1 import intents_pb2, intents_pb2_grpc, seal_pb2, seal_pb2_grpc
from hub.v1 import common_pb2

ORIGIN = "hub.test.example"
REGION = "330100"
CODE = "11100000MB0143028R001"
VCT = f"https://{ORIGIN}/vct/{CODE}"
ISSUER = "113301000025123419"
CERT = f"1.2.156.3005.2.{CODE}.{ISSUER}.0144B1DEFCF7561087015F8D830D65B1.001.O"
HOLDER = ("001", "91330100MA27XL0048")


@dataclass
class Answer:
    """What a fetch is answered with, before it is logged."""

    states: list[str]
    presentations: list[str | None]


def _honest(answer: object) -> None:
    """Nothing is changed."""


@dataclass
class Loopback:
    """The hub; `calls` are the requests it was sent, by method."""

    folder: Path
    pki: Pki
    seal_key: ec.EllipticCurvePrivateKey
    x5c: tuple[str, ...]
    log_key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    leaves: list[bytes] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    calls: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))
    tokens: list[str] = field(default_factory=list)
    token_life_s: int = 600
    origin: str = ORIGIN
    authorities: list[access_pb2.Authority] = field(default_factory=list)
    intent: bytes = b"{}"
    challenge_intent: bytes | None = None
    approvals: list[str] = field(default_factory=list)
    listed: list[intents_pb2.Intent] = field(default_factory=list)
    before_log: Callable[[Answer], None] = _honest
    after_log: Callable[[exchange_pb2.FetchCertificatesResponse], None] = _honest
    port: int = 0
    _refusals: dict[str, list[HubError]] = field(default_factory=lambda: defaultdict(list))

    def refuse(self, method: str, error: HubError, *, times: int = 1) -> None:
        """Answer the next calls of `method` with `error`."""
        self._refusals[method] += [error] * times

    def receive(self, method: str, request: Message, context: grpc.ServicerContext) -> None:
        """Note the call; refuse it where that was asked for."""
        self.calls[method].append(request)
        if self._refusals[method]:
            error = self._refusals[method].pop(0)
            code = rpc.status_of(error.reason)
            details = rpc.encode_status(code, error).SerializeToString()
            context.set_trailing_metadata((("grpc-status-details-bin", details),))
            context.abort(code, error.text("en"))

    def log(self, body: dict[str, Json], seen: int = 0) -> common_pb2.Receipt:
        """Append an entry; its receipt, with consistency from a tree of `seen` entries."""
        data, salt = emit_json(body), bytes([len(self.leaves) % 251]) * 32
        self.leaves.append(entry_leaf(salt, data))
        self.entries.append(entry_bytes(commit(salt, data)))
        index, size = len(self.leaves) - 1, len(self.leaves)
        path = consistency_path(self.leaves, seen) if 0 < seen < size else []
        proof = proof_text(index, inclusion_path(self.leaves, index), self.checkpoint())
        return common_pb2.Receipt(json=make_receipt(data, salt, proof, path), entry=index)

    def checkpoint(self) -> str:
        """The signed checkpoint of everything."""
        return sign_checkpoint(ORIGIN, len(self.leaves), root(self.leaves), self.log_key)

    def presentation(
        self, fields: tuple[str, ...] = ("name",), holder: tuple[str, str] = HOLDER
    ) -> str:
        """A genuine seal with `fields` and the holder disclosed."""
        claims = RecordClaims(
            origin=ORIGIN,
            region=REGION,
            iss=ISSUER,
            vct=VCT,
            vct_integrity="sha256-Ay3TvHxtKG78k9iLZSMXPUV2ypP7TUNsOfYvY6ZW7KI=",
            type_version=1,
            iat=int(time.time()),
            cert=CERT,
            version=1,
            status=StatusReference(7, f"https://{ORIGIN}/status/1"),
            custody=Custody.ATTESTED,
            src=Source("2026-01-01-0001", 0, 1, b64u(bytes(32))),
            attested_by=ISSUER,
        )
        values: dict[str, Json] = {
            "name": "杭州示例有限公司",
            "scope": "零售",
            "holder_type": holder[0],
            "holder_number": holder[1],
        }
        signer = es256_signer(self.seal_key, self.x5c)
        record = seal_record(claims, values, digests_n=8, signer=signer)
        return present(record.jws, record.disclosures, {*fields, "holder_type", "holder_number"})

    def profile(self, kind: str, name: str) -> Path:
        """The profile of a new member, its keys in a folder of its own."""
        folder = self.folder / name
        folder.mkdir()
        client, signing = new_key(), new_key()
        save_key(folder / "client.key", client, b"secret")
        save_key(folder / "signing.key", signing, b"secret")
        (folder / "passphrase").touch(mode=0o600)
        (folder / "passphrase").write_text("secret\n")
        csr = make_csr(client, name)
        issued = self.pki.issue(kind, csr, now=datetime.now(UTC), common_name=name)
        (folder / "client.pem").write_bytes(issued.chain_pem)
        (folder / "ca.pem").write_bytes(self.pki.tls_anchor_pem)
        log_key = VerifierKey(ORIGIN, KeyType.LOG, self.log_key.public_key().public_bytes_raw())
        trust = Trust(
            origin=ORIGIN,
            region=REGION,
            log_keys=(log_key.text(),),
            seal_anchors=tuple(x509.load_pem_x509_certificates(self.pki.seal_anchor_pem)),
        )
        (folder / "trust.json").write_bytes(trust_file(trust))
        collection = "officers" if kind == "officer" else "systems"
        text = profile_text(
            {
                "address": f"127.0.0.1:{self.port}",
                "origin": ORIGIN,
                "region": REGION,
                "ca": "ca.pem",
                "certificate": "client.pem",
                "key": "client.key",
                "trust": "trust.json",
            },
            {
                "name": f"{collection}/{name}",
                "signing_key": "signing.key",
                "passphrase_file": "passphrase",
            },
        )
        (folder / "client.toml").write_text(text)
        return folder / "client.toml"


def start(folder: Path) -> tuple[Loopback, grpc.Server]:
    """A hub that listens on loopback; the caller stops the server."""
    now = datetime.now(UTC)
    pki = Pki.init(folder / "pki", name="Test", now=now)
    seal_key = new_key()
    sealed = pki.issue(
        "seal",
        seal_key.public_key(),
        now=now,
        common_name="Seal",
        organization="Authority",
        organization_identifier=ISSUER,
    )
    hub = Loopback(folder, pki, seal_key, tuple(b64(der) for der in sealed.chain_der))
    server = grpc.server(ThreadPoolExecutor(4))
    access_pb2_grpc.add_AccessServiceServicer_to_server(_Access(hub), server)
    exchange_pb2_grpc.add_ExchangeServiceServicer_to_server(_Exchange(hub), server)
    ledger_pb2_grpc.add_LedgerServiceServicer_to_server(_Ledger(hub), server)
    seal_pb2_grpc.add_SealServiceServicer_to_server(_Seal(hub), server)
    intents_pb2_grpc.add_IntentServiceServicer_to_server(_Intents(hub), server)
    own = server_key_and_cert(
        pki, folder / "tls", now=now, common_name=ORIGIN, ip_addresses=("127.0.0.1",)
    )
    credentials = grpc.ssl_server_credentials(
        [(own.key_pem, own.chain_pem)], pki.tls_anchor_pem, require_client_auth=True
    )
    hub.port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    return hub, server


class _Access(access_pb2_grpc.AccessServiceServicer):
    def __init__(self, hub: Loopback) -> None:
        self.hub = hub

    def CreateToken(self, request, context):
        self.hub.receive("CreateToken", request, context)
        token = f"token-{len(self.hub.tokens)}"
        self.hub.tokens.append(token)
        answer = access_pb2.CreateTokenResponse(
            access_token=token, origin=self.hub.origin, region=REGION
        )
        answer.expire_time.seconds = int(time.time()) + self.hub.token_life_s
        return answer

    def ListAuthorities(self, request, context):
        self.hub.receive("ListAuthorities", request, context)
        begin = int(request.page_token or 0)
        end = begin + min(request.page_size or 50, 1000)
        more = end < len(self.hub.authorities)
        return access_pb2.ListAuthoritiesResponse(
            authorities=self.hub.authorities[begin:end], next_page_token=str(end) if more else ""
        )

    def CreateAuthority(self, request, context):
        self.hub.receive("CreateAuthority", request, context)
        authority = access_pb2.Authority()
        authority.CopyFrom(request.authority)
        authority.name = f"authorities/{request.authority_id}"
        receipt = self.hub.log({"v": 1, "kind": "authority.created"})
        return access_pb2.CreateAuthorityResponse(authority=authority, receipt=receipt)

    def GetAuthority(self, request, context):
        self.hub.receive("GetAuthority", request, context)
        name = access_pb2.DatedName(title="单位", from_date="2020-01-01")
        return access_pb2.GetAuthorityResponse(
            authority=access_pb2.Authority(name=request.name, uscc=ISSUER, names=[name])
        )

    def CreateSystem(self, request, context):
        self.hub.receive("CreateSystem", request, context)
        system = access_pb2.System()
        system.CopyFrom(request.system)
        system.name = f"systems/{request.system_id}"
        receipt = self.hub.log({"v": 1, "kind": "system.enrolled"})
        return access_pb2.CreateSystemResponse(system=system, receipt=receipt)


class _Exchange(exchange_pb2_grpc.ExchangeServiceServicer):
    def __init__(self, hub: Loopback) -> None:
        self.hub = hub

    def FetchCertificates(self, request, context):
        self.hub.receive("FetchCertificates", request, context)
        claims = parse_object(b64u_decode(request.signed_request.split(".")[1]))
        wanted = claims["certificates"]
        answer = Answer(
            ["active"] * len(wanted),
            [self.hub.presentation(tuple(item["fields"])) for item in wanted],
        )
        self.hub.before_log(answer)
        pairs = list(zip(answer.states, answer.presentations, strict=True))
        receipt = self.hub.log(
            {
                "v": 1,
                "kind": "fetch",
                "origin": ORIGIN,
                "region": REGION,
                "time_us": time.time_ns() // 1000,
                "request_id": request.request_id,
                "caller": claims["iss"],
                "key_entry": 0,
                "request_digest": digest(request.signed_request),
                "outcome": "ok",
                "certificates": [_logged(state, text) for state, text in pairs],
                "writes": b64u(bytes(32)),
            },
            claims.get("log", {}).get("size", 0),
        )
        response = exchange_pb2.FetchCertificatesResponse(
            request_id=request.request_id,
            certificates=[
                exchange_pb2.FetchedCertificate(
                    state=exchange_pb2.FetchedCertificate.State.Value(f"STATE_{state.upper()}"),
                    presentation=text or "",
                )
                for state, text in pairs
            ],
            receipt=receipt,
        )
        self.hub.after_log(response)
        return response


def _logged(state: str, text: str | None) -> dict[str, Json]:
    members: dict[str, Json] = {"vct": VCT, "state": state}
    if state != "absent":
        members |= {"cert": CERT, "version": 1, "state_entry": 0}
    if text is not None:
        members |= {"fields": ["name"], "sd_hash": digest(text)}
    return members


class _Ledger(ledger_pb2_grpc.LedgerServiceServicer):
    def __init__(self, hub: Loopback) -> None:
        self.hub = hub

    def GetCheckpoint(self, request, context):
        self.hub.receive("GetCheckpoint", request, context)
        return ledger_pb2.GetCheckpointResponse(checkpoint=self.hub.checkpoint())

    def GetInclusionProof(self, request, context):
        self.hub.receive("GetInclusionProof", request, context)
        path = inclusion_path(self.hub.leaves, request.entry)
        return ledger_pb2.GetInclusionProofResponse(
            proof=proof_text(request.entry, path, self.hub.checkpoint()),
            entry=self.hub.entries[request.entry],
        )

    def GetConsistencyProof(self, request, context):
        self.hub.receive("GetConsistencyProof", request, context)
        leaves = self.hub.leaves[: request.new_size]
        return ledger_pb2.GetConsistencyProofResponse(
            hashes=consistency_path(leaves, request.old_size)
        )


class _Seal(seal_pb2_grpc.SealServiceServicer):
    def __init__(self, hub: Loopback) -> None:
        self.hub = hub

    def GetSeal(self, request, context):
        self.hub.receive("GetSeal", request, context)
        key = seal_pb2.Key(
            name="keys/k-1",
            seal=request.name,
            use="record",
            algorithm="ES256",
            state=seal_pb2.Key.STATE_REQUESTED,
            x509_request=_request(self.hub.seal_key),
        )
        return seal_pb2.GetSealResponse(seal=seal_pb2.Seal(name=request.name, keys=[key]))


def _request(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A request as the hub writes it for a key of a seal."""
    values = (
        (NameOID.ORGANIZATION_NAME, "Authority"),
        (NameOID.ORGANIZATION_IDENTIFIER, ISSUER),
        (NameOID.COMMON_NAME, "Seal"),
    )
    subject = x509.Name([x509.NameAttribute(*one) for one in values])
    request = x509.CertificateSigningRequestBuilder(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.DER)


class _Intents(intents_pb2_grpc.IntentServiceServicer):
    def __init__(self, hub: Loopback) -> None:
        self.hub = hub

    def GetIntent(self, request, context):
        self.hub.receive("GetIntent", request, context)
        return intents_pb2.GetIntentResponse(intent=self._intent(request.name))

    def ListIntents(self, request, context):
        self.hub.receive("ListIntents", request, context)
        return intents_pb2.ListIntentsResponse(intents=self.hub.listed)

    def ProposeIntent(self, request, context):
        self.hub.receive("ProposeIntent", request, context)
        receipt = self.hub.log({"v": 1, "kind": "intent.proposed"})
        intent = self._intent(f"intents/{request.intent_id}")
        return intents_pb2.ProposeIntentResponse(intent=intent, receipt=receipt)

    def CreateApprovalChallenge(self, request, context):
        self.hub.receive("CreateApprovalChallenge", request, context)
        return intents_pb2.CreateApprovalChallengeResponse(
            intent_bytes=self.hub.challenge_intent or self.hub.intent,
            nonce=b"\x07" * 32,
            key_entry=3,
        )

    def ApproveIntent(self, request, context):
        self.hub.receive("ApproveIntent", request, context)
        self.hub.approvals.append(request.approval)
        intent = self._intent(request.name)
        intent.state = intents_pb2.Intent.STATE_APPROVED
        receipt = self.hub.log({"v": 1, "kind": "intent.approved"})
        return intents_pb2.ApproveIntentResponse(intent=intent, receipt=receipt)

    def _intent(self, name: str) -> intents_pb2.Intent:
        return intents_pb2.Intent(
            name=name,
            state=intents_pb2.Intent.STATE_PROPOSED,
            intent_bytes=self.hub.intent,
            digest=b64u(intent_digest(self.hub.intent)),
            requester="officers/chen",
        )
