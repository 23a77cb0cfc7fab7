"""How fast a change counts, and what happens where nobody can say."""

from __future__ import annotations

import asyncio
import time
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace

import pytest

from hub.access import snapshot as snapshot_module
from hub.access.ports import Stored
from hub.access.snapshot import Directory
from hub.access.systems import revoke_system
from hub.errors import HubError, Reason
from hub.proof.jose import thumbprint
from hub.storage.database import Database
from hub.storage.statements import Row, Statement, Value
from tests.access.conftest import Register
from tests.access.members import Member


@dataclass
class Interrupted:
    """A database that can be cut off."""

    database: Database
    reachable: bool = True

    async def one(self, statement: Statement, *args: Value) -> Row | None:
        if not self.reachable:
            raise HubError(Reason.DATABASE_UNAVAILABLE)
        return await self.database.one(statement, *args)

    def snapshot(self) -> AbstractAsyncContextManager[Stored]:
        return self.database.snapshot()


async def test_a_revocation_elsewhere_counts_within_a_second(register: Register) -> None:
    """A directory that only polls lets nobody in a second after the revocation."""
    member = Member(register.ca)
    await register.enrol("window", member)
    other = Directory(register.database)
    tokens = replace(register.tokens, directory=other, _held={}, _held_on=None)
    watching = asyncio.create_task(other.watch())
    await asyncio.sleep(0.1)
    token = tokens.create(member.thumbprint).access_token
    tokens.authenticate(token, member.thumbprint)

    await revoke_system(register.registrar, register.call(), "systems/window", "test")
    revoked = time.monotonic()
    with pytest.raises(HubError) as caught:
        while time.monotonic() < revoked + 1:
            tokens.authenticate(token, member.thumbprint)
            await asyncio.sleep(0.01)

    assert caught.value.reason is Reason.TOKEN_REVOKED
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_nobody_is_let_in_on_an_old_snapshot(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database does not answer for long, the answer is UNAVAILABLE, not the old one."""
    monkeypatch.setattr(snapshot_module, "UNCONFIRMED_S_MAX", 0.05)
    monkeypatch.setattr(snapshot_module, "REFRESH_S", 0.01)
    database = Interrupted(register.database)
    directory = Directory(database)
    tokens = replace(register.tokens, directory=directory, _held={}, _held_on=None)
    watching = asyncio.create_task(directory.watch())
    await asyncio.sleep(0.03)
    token = tokens.create(register.officer.thumbprint).access_token

    database.reachable = False
    await asyncio.sleep(0.1)
    with pytest.raises(HubError) as caught:
        tokens.authenticate(token, register.officer.thumbprint)
    assert caught.value.reason is Reason.DATABASE_UNAVAILABLE

    database.reachable = True
    await asyncio.sleep(0.05)
    assert tokens.authenticate(token, register.officer.thumbprint).name == "officers/first"
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_a_directory_that_was_never_loaded_knows_nobody(register: Register) -> None:
    """Forgetting to load it does not read as an empty hub."""
    with pytest.raises(HubError) as caught:
        _ = Directory(register.database).current

    assert caught.value.reason is Reason.DATABASE_UNAVAILABLE


async def test_a_restart_knows_what_was_known(register: Register) -> None:
    """Identities and keys are read back from the database as they were."""
    await register.enrol("window", Member(register.ca))
    fresh = Directory(register.database)

    await fresh.refresh()

    old, new = register.directory.current, fresh.current
    assert (new.version, new.authorities, new.systems) == (
        old.version,
        old.authorities,
        old.systems,
    )
    assert (new.officers, new.peers, new.used) == (old.officers, old.peers, old.used)
    assert {kid: (key.use, key.owner) for kid, key in new.keys.items()} == {
        kid: (key.use, key.owner) for kid, key in old.keys.items()
    }


async def test_the_check_of_a_caller_ends_with_the_next_change(register: Register) -> None:
    """What was decided on a caller cannot be recorded after any identity changed."""
    token = register.token(register.officer)
    caller = register.tokens.authenticate(token, register.officer.thumbprint)
    check = register.directory.version_check(caller)
    assert await register.database.one(check.statement, *check.args) == check.expected

    await register.enrol("window", Member(register.ca))

    assert await register.database.one(check.statement, *check.args) != check.expected


async def test_keys_are_found_by_their_id_only(register: Register) -> None:
    """An unknown id, whatever text it is, finds nothing."""
    kid = thumbprint(register.officer.signing_key.public_key())

    assert register.directory.key(kid) is not None
    assert register.directory.key("") is None
    assert register.directory.key(kid.lower()) is None
    assert register.directory.key(register.officer.thumbprint) is None
