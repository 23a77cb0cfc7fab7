"""Configuration of a facade: this file is the reference. Read from `facade.toml`.

An unknown field is refused. Relative paths are relative to the file. Secrets of accounts stand in
it as scrypt hashes only; `sealway facade account` makes them.
"""

from __future__ import annotations

import tomllib
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from connectors.facade.codes import DIALECTS, Kind
from connectors.facade.questions import Operation
from connectors.profile import read_bounded
from hub.domain.identifier import type_code_fault
from hub.errors import HubError, Reason

CONFIG_BYTES_MAX: Final = 1_048_576
ACCOUNTS_MAX: Final = 1_000
HASH: Final = r"^scrypt:[A-Za-z0-9_-]{22}:[A-Za-z0-9_-]{43}$"

Code = Annotated[int, Field(ge=0, le=99_999)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FacadeSection(_Section):
    """Where the facade listens, and in whose name it asks."""

    # Host and port; port 0 lets the system choose.
    address: Annotated[str, Field(pattern=r"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$")] = (
        "127.0.0.1:7490"
    )
    # Client profile of the enrolled system (role platform) that signs.
    profile: Path = Path("client.toml")
    # Chain and key of its own TLS certificate; both or neither, and neither on loopback only.
    certificate: Path | None = None
    key: Path | None = None
    # Seconds for which a token is good.
    token_lifetime_s: Annotated[int, Field(ge=30, le=7200)] = 900
    # Calls that are answered at the same time; as many connections to the hub.
    calls_at_once: Annotated[int, Field(ge=1, le=64)] = 8
    # Whose status codes are spoken: `shandong` or `real-estate` (docs/facade.md).
    dialect: str = "shandong"
    # Codes that differ from the dialect's, by the kind of outcome.
    statuses: dict[Kind, Code] = {}
    # Codes of verify information and verify file that differ from the usual, by result.
    results: dict[str, Code] = {}
    # Where callers reach it, as download addresses begin; otherwise scheme, host and port of above.
    public_url: Annotated[str, Field(pattern=r"^https?://[!-~]{1,200}[^/]$")] | None = None
    # Seconds for which an address of a document leads there.
    address_lifetime_s: Annotated[int, Field(ge=10, le=600)] = 120
    # Bytes of a document that may be sent to be verified.
    file_bytes_max: Annotated[int, Field(ge=1024, le=50_000_000)] = 10_000_000
    # Days for which an annotated copy may be used: callers name its cause, and no end.
    copy_days: Annotated[int, Field(ge=1, le=366)] = 30
    # Further addresses, such as "/api/v2/retrieve" = "getDataByHolder".
    paths: dict[Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.-]{1,128}$")], Operation] = {}


class Account(_Section):
    """Who may call, from where, and for what. What is not named is not allowed."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{2,62}$")]
    # What the caller sends as `accessId` and `appKey`.
    app_key: Annotated[str, Field(pattern=r"^[!-~]{3,128}$")]
    secret: Annotated[str, Field(pattern=HASH, repr=False)]
    # Addresses the account may call from; no header is believed.
    networks: Annotated[list[IPv4Network | IPv6Network], Field(min_length=1, max_length=64)]
    operations: Annotated[list[Operation], Field(min_length=1)]
    # Fields that may be asked for, by type code; `@document` for the document, which shows the
    # whole face. The hub's grants bind beside it.
    types: dict[str, Annotated[list[str], Field(min_length=1, max_length=64)]]
    # Codes of the service items (事项) for which it may ask.
    items: Annotated[list[str], Field(min_length=1, max_length=1_000)]
    # Law and article on which its requests stand.
    basis: Annotated[str, Field(min_length=2, max_length=400)]
    calls_per_minute_max: Annotated[int, Field(ge=1, le=100_000)] = 600

    @property
    def name(self) -> str:
        """As the ledger and answers name it."""
        return f"accounts/{self.id}"

    @model_validator(mode="after")
    def _known_types(self) -> Self:
        for code in self.types:
            if type_code_fault(code) is not None:
                raise ValueError(f"types: {code} is no type code of 21 characters")
        return self


class FacadeConfig(_Section):
    """All of `facade.toml`."""

    facade: FacadeSection = FacadeSection()
    accounts: Annotated[list[Account], Field(min_length=1, max_length=ACCOUNTS_MAX)]
    # The folder of the file; every relative path hangs on it.
    home: Path = Field(default=Path(), exclude=True)

    def path(self, relative: Path) -> Path:
        """`relative` as it stands in the file, made absolute."""
        return self.home / relative

    @model_validator(mode="after")
    def _sound(self) -> Self:
        section = self.facade
        if section.dialect not in DIALECTS:
            raise ValueError(f"facade.dialect is one of {', '.join(DIALECTS)}")
        if (section.certificate is None) != (section.key is None):
            raise ValueError("facade.certificate and facade.key stand together")
        if section.certificate is None and not _is_loopback(section.address):
            raise ValueError("facade.certificate is needed where others can reach the address")
        for member in ("id", "app_key"):
            if len({getattr(account, member) for account in self.accounts}) != len(self.accounts):
                raise ValueError(f"accounts: two have the same {member}")
        return self


def load_facade(file: Path) -> FacadeConfig:
    """The configuration in `file`. Raises HubError(FACADE_INVALID) with every wrong field."""
    try:
        members = tomllib.loads(read_bounded(file, CONFIG_BYTES_MAX, "facade").decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise HubError(Reason.FACADE_INVALID, file=file, rule=str(error)) from error
    try:
        return FacadeConfig.model_validate({**members, "home": file.resolve().parent})
    except ValidationError as error:
        # Without the input: a secret that was written in clear stays out of the message.
        rule = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise HubError(Reason.FACADE_INVALID, file=file, rule=rule) from None


def _is_loopback(address: str) -> bool:
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
