"""The signed requests of a platform: the options that make one, kept before they are sent, signed
anew under each token."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final, TypedDict, TypeVar

import typer

from certs.files import PRIVATE
from connectors.client import AccessToken
from connectors.profile import Profile, read_bounded
from hub.cli.session import in_folder, next_step, save
from hub.cli.terminal import Terminal, UsageError
from hub.proof.encoding import Json, b64u_decode, digest, parse_object
from hub.proof.exchange.plan_request import PlanClaims
from hub.proof.exchange.request import REQUEST_LIFE_MAX_S, REQUEST_SIZE_MAX, RequestClaims
from hub.proof.jose import Signer
from hub.proof.reasons import ProofError

# A repetition signs anew only after its request has ended, so a few are ever sent under one id.
REQUESTS_MAX: Final = 16

ItemOption = Annotated[str, typer.Option(help="Code of the service item (事项).")]
MatterOption = Annotated[str, typer.Option(help="The matter for which it is asked.")]
BasisOption = Annotated[str, typer.Option(help="Law and article.")]
ClerkOption = Annotated[str, typer.Option(help="Pseudonym of the clerk who asks.")]
CLERK: Final = "clerks/command-line"
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Store answer and signed request here."),
]

C = TypeVar("C", RequestClaims, PlanClaims)


class _Renewed(TypedDict):
    iat: int
    exp: int
    ath: str


# Of claims that each attempt renews: it is signed under the token that it travels with.
NOT_YET_SIGNED: Final = _Renewed(iat=0, exp=0, ath="")


@dataclass(slots=True)
class SentRequests:
    """Every signed request of one request id, each kept on disk before it is sent.

    Without a file they are kept for this run only. Where the same file was named for another
    request before, what was kept for that stays.
    """

    file: Path | None
    texts: list[str] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    _others: int = 0

    @classmethod
    def beside(cls, answer: Path | None, request_id: str) -> SentRequests:
        """Those of `request_id` kept beside the answer's file by runs before this one."""
        if answer is None:
            return cls(None)
        sent = cls(answer.with_name(f"{answer.name}.request.jws"))
        while (kept := sent._next()).is_file():
            text = read_bounded(kept, REQUEST_SIZE_MAX, "request").decode("ascii")
            if _jti(text) == request_id:
                sent.texts.append(text)
                sent.paths.append(kept)
            else:
                sent._others += 1
        return sent

    def keep(self, compact: str) -> None:
        """`compact` is on disk when this returns. Raises UsageError where it cannot be."""
        if compact in self.texts:
            return
        if len(self.texts) >= REQUESTS_MAX:
            raise UsageError(
                f"{REQUESTS_MAX} requests were sent under this id; start anew with another",
                f"该编号下已发送 {REQUESTS_MAX} 个请求，请使用新的编号",
            )
        if self.file is not None:
            path = self._next()
            save(path, compact.encode("ascii"), mode=PRIVATE)
            self.paths.append(path)
        self.texts.append(compact)

    def signing(
        self, claims: C, sign: Callable[[C, Signer], str], signer: Signer
    ) -> Callable[[AccessToken], str]:
        """What is sent under a token: `claims` signed for it, and kept.

        The same bytes for every attempt under one token, until they have nearly ended.
        """
        made: dict[str, tuple[int, str]] = {}

        def signed(token: AccessToken) -> str:
            now = int(time.time())
            issued, compact = made.get(token.text, (0, ""))
            if now >= issued + REQUEST_LIFE_MAX_S // 2:
                ends = now + REQUEST_LIFE_MAX_S
                compact = sign(replace(claims, iat=now, exp=ends, ath=digest(token.text)), signer)
                made[token.text] = (now, compact)
                self.keep(compact)
            return compact

        return signed

    def _next(self) -> Path:
        """The file of the next request."""
        assert self.file is not None, "asked only where a file was named"
        number = self._others + len(self.texts)
        if number == 0:
            return self.file
        return self.file.with_name(f"{self.file.stem}-{number + 1}{self.file.suffix}")


def _jti(compact: str) -> Json:
    """The request id that a kept request names; None where the file was damaged."""
    try:
        return parse_object(b64u_decode(compact.split(".")[1])).get("jti")
    except (IndexError, ProofError):
        return None


def say_kept(terminal: Terminal, out: Path | None, sent: SentRequests, profile: Profile) -> None:
    """Where the answer was stored, if it was, and how anybody verifies it there."""
    if out is None:
        return
    kept = in_folder(out)
    terminal.say(f"Answer: {kept}", f"答复：{kept}")
    requests = " ".join(f"--request {in_folder(path)}" for path in sent.paths)
    next_step(
        terminal,
        f"sealway verify {kept} {requests} --as {profile.name} --trust {in_folder(profile.trust)}",
    )
