"""Time stamps from a time stamping service (RFC 3161): asked for, verified, then believed.

A token is used only after its signature, chain, purpose, policy, nonce and imprint were checked
against what was asked and against the configured anchors; an answer that does not hold is as good
as none. So what carries a time stamp carries a good one, and what cannot get one is not sealed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx
from asn1crypto import algos, tsp
from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from hub.errors import HubError, Reason

ANSWER_BYTES_MAX: Final = 64 * 1024
TIMEOUT_S: Final = 10.0
# A service whose clock differs by more than this stamps nothing that we would defend.
SKEW_S_MAX: Final = 300
_NONCE_BITS: Final = 127
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"


@dataclass(frozen=True, slots=True)
class TimeStampService:
    """A time stamping service. Any thread may call; each call waits for the network.

    `url` is https, or plain http to this machine (`hub.config`); `anchors` are what its chain has
    to lead to, `policy` the dotted OID of the policy that it has to stamp under, or "" for any.
    `now_us` is the clock that its time is held against.
    """

    url: str
    anchors: tuple[x509.Certificate, ...]
    now_us: Callable[[], int]
    policy: str = ""
    timeout_s: float = TIMEOUT_S

    def stamp(self, data: bytes) -> bytes:
        """The token (a CMS ContentInfo) over the SHA-256 of `data`.

        Raises HubError(TIME_STAMP_UNAVAILABLE): no answer in time, or one that does not hold.
        """
        return self.stamp_digest(hashlib.sha256(data).digest())

    def stamp_digest(self, digest: bytes) -> bytes:
        """As `stamp`, over a SHA-256 that was computed already."""
        nonce = secrets.randbits(_NONCE_BITS) | 1 << _NONCE_BITS
        return self._verified(self._ask(self._request(digest, nonce)), digest, nonce)

    def _request(self, digest: bytes, nonce: int) -> bytes:
        members = {
            "version": 1,
            "message_imprint": {
                "hash_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
                "hashed_message": digest,
            },
            "nonce": nonce,
            "cert_req": True,
        }
        if self.policy:
            members["req_policy"] = self.policy
        request: bytes = tsp.TimeStampReq(members).dump()
        return request

    def _ask(self, request: bytes) -> bytes:
        """One exchange: bounded in size and time, no redirects, no proxy from the environment."""
        client = httpx.Client(timeout=self.timeout_s, follow_redirects=False, trust_env=False)
        try:
            with (
                client,
                client.stream(
                    "POST", self.url, content=request, headers={"Content-Type": _QUERY}
                ) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise _unavailable(f"status {answer.status_code}")
                if answer.headers.get("content-type", "").partition(";")[0].strip() != _REPLY:
                    raise _unavailable("the answer is no time stamp")
                body = bytearray()
                for part in answer.iter_raw(4096):
                    body += part
                    if len(body) > ANSWER_BYTES_MAX:
                        raise _unavailable("the answer is too large")
                return bytes(body)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _unavailable(type(error).__name__) from error

    def _verified(self, body: bytes, digest: bytes, nonce: int) -> bytes:
        verifier = VerifierBuilder(
            roots=list(self.anchors),
            nonce=nonce,
            policy_id=x509.ObjectIdentifier(self.policy) if self.policy else None,
        ).build()
        try:
            answer = decode_timestamp_response(body)
            verifier.verify(answer, digest)
            token = answer.time_stamp_token()
            time = answer.tst_info.gen_time
        except VerificationError as error:
            raise _unavailable(f"the time stamp does not hold: {error}") from error
        except (ValueError, TypeError, AttributeError) as error:
            raise _unavailable("the answer cannot be read") from error
        if abs(time.timestamp() - self.now_us() / 1_000_000) > SKEW_S_MAX:
            raise _unavailable(f"its clock differs by more than {SKEW_S_MAX} s")
        return token


def _unavailable(rule: str) -> HubError:
    return HubError(Reason.TIME_STAMP_UNAVAILABLE, rule=rule)
