"""An officer's authenticator, asked by way of a page in the officer's own browser."""

from __future__ import annotations

import dataclasses
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Final

from connectors.client import HubClient
from hub.cli.officer_page import RP_ID, Page, ask_browser, origin_of
from hub.cli.quorum import newest_roster
from hub.cli.terminal import Terminal, UsageError
from hub.proof.encoding import Json, b64u, b64u_decode
from hub.proof.officers.approval import Approval, Decision, challenge, webauthn_approval
from hub.proof.officers.roster import Officer
from hub.proof.webauthn import (
    Assertion,
    Credential,
    attested_key,
    credential_proof,
    possession_challenge,
    verify_assertion,
    verify_credential_proof,
)

_PAGE_ORIGIN: Final = re.compile(rf"http://{RP_ID}:([1-9][0-9]{{0,4}})")


def approve_in_browser(
    terminal: Terminal, client: HubClient, approval: Approval, shown: Sequence[tuple[str, str]]
) -> str:
    """The approval's text, signed by the authenticator that the roster names for this officer; the
    page shows the lines in `shown`.

    Raises UsageError, also where the officer has no authenticator; ProofError where what comes back
    does not hold.
    """
    officer, credential = _enrolled(client)
    signed: list[Assertion] = []

    def step(answer: Mapping[str, Json]) -> None:
        assertion = Assertion.of(answer)
        verify_assertion(assertion, credential, officer.key, challenge(approval))
        signed.append(assertion)

    is_approval = approval.decision is Decision.APPROVE
    page = Page(
        title=("Approve an intent", "批准意图")
        if is_approval
        else ("Reject an intent", "驳回意图"),
        lines=shown,
        button=("Approve", "批准") if is_approval else ("Reject", "驳回"),
    )
    asked = _sign(challenge(approval), credential)
    ask_browser(terminal, page, asked, step, port=_port(credential))
    # The page may have stood open for minutes.
    now = dataclasses.replace(approval, iat=int(time.time()))
    return webauthn_approval(now, officer.key_id, credential.credential_id, signed[0])


def make_credential(terminal: Terminal, officer: str, *, port: int) -> bytes:
    """The proof of a new credential of `officer`, made and used once in its authenticator.

    Raises UsageError; ProofError where the authenticator is of a kind that is not accepted.
    """
    attested: list[bytes] = []
    proofs: list[bytes] = []

    def step(answer: Mapping[str, Json]) -> Mapping[str, Json] | None:
        if not attested:
            data = b64u_decode(str(answer.get("attested")))
            _, credential_id = attested_key(data, RP_ID)
            attested.append(data)
            credential = Credential(RP_ID, origin_of(port), b64u(credential_id))
            return _sign(possession_challenge(officer, data), credential)
        proof = credential_proof(officer, RP_ID, origin_of(port), attested[0], Assertion.of(answer))
        verify_credential_proof(proof)
        proofs.append(proof)
        return None

    page = Page(
        title=("Make a credential for approvals", "制作审批凭据"),
        lines=[
            (
                f"For {officer}, on this page alone: {origin_of(port)}",
                f"用于 {officer}，仅限本页：{origin_of(port)}",
            ),
            (
                "Your authenticator is asked twice: for a new key, then for a signature with it.",
                "认证器将被请求两次：先生成新密钥，再以其签名。",
            ),
        ],
        button=("Make it", "制作"),
    )
    asked: dict[str, Json] = {
        "ask": "create",
        "rp_id": RP_ID,
        "officer": officer,
        # Nobody checks it: what counts is the signature that follows.
        "challenge": b64u(secrets.token_bytes(32)),
        "user": b64u(secrets.token_bytes(16)),
    }
    ask_browser(terminal, page, asked, step, port=port)
    return proofs[0]


def _sign(value: bytes, credential: Credential) -> dict[str, Json]:
    """The question for a signature over the challenge `value`."""
    return {
        "ask": "get",
        "rp_id": credential.rp_id,
        "credential_id": credential.credential_id,
        "challenge": b64u(value),
    }


def _enrolled(client: HubClient) -> tuple[Officer, Credential]:
    """This officer as the newest roster has it. A hub that shows another one gains a signature that
    counts nowhere."""
    roster, _ = newest_roster(client)
    officer = roster.officers.get(client.profile.name)
    if officer is None or officer.credential is None:
        raise UsageError(
            "the roster names no authenticator of yours; approve without --browser",
            "名册中没有您的认证器，请不加 --browser 审批",
        )
    return officer, officer.credential


def _port(credential: Credential) -> int:
    """Where the credential's page is served. Raises UsageError where that is not this machine."""
    found = _PAGE_ORIGIN.fullmatch(credential.origin)
    if found is None or credential.rp_id != RP_ID:
        raise UsageError(
            f"your credential answers to {credential.origin} alone; approve there",
            f"您的凭据仅用于 {credential.origin}，请在该处审批",
        )
    return int(found[1])
