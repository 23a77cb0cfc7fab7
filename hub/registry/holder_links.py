"""Link identifiers of holders, take links back, list them.

A link shows the certificates of one identifier under another, so it is an authority's act: it may
tie another identifier only to a holder for whom it answers, because a certificate of its own that
is in force names that holder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hub.clock import Clock, legal_day
from hub.domain import names
from hub.domain.caller import Caller, Role
from hub.domain.certificate import State, state_on
from hub.domain.holder import Holder
from hub.domain.holder_link import LINKED_MAX, Link, LinkKind, link_fault, reached
from hub.domain.identifier import CertificateIdentifier
from hub.domain.row import date_violation
from hub.domain.rules import violation
from hub.errors import HubError, Reason
from hub.registry.evidence import Evidence, check_evidence, field_invalid
from hub.registry.fact_store import HELD_NOW, Held, held_of
from hub.registry.holder_link_store import (
    ALL_LINKS,
    INSERT_LINK,
    LINKED,
    LINKS_OF,
    LINKS_OF_AUTHORITY,
    LINKS_TURN,
    ONE_LINK,
    PUT_LINK,
    UNLINKED,
    LinkRow,
    link_of,
    put_reach,
    unchanged_links,
)
from hub.registry.ports import Access, Database, HolderKeys, Recorder
from hub.registry.read import CertificateReader
from hub.registry.store import VERSION_STATE
from hub.storage.changes import Answered, Call, Change, read_and_change_once
from hub.storage.statements import ENTRY_INDEX, Check, Row, Write


@dataclass(frozen=True, slots=True)
class LinkOrder:
    """Which identifier shall be linked to the holder of which certificate of one's own."""

    authority: str
    certificate_id: str
    former: Holder = field(repr=False)
    kind: LinkKind
    effective_date: str
    evidence: Evidence

    @property
    def certificate(self) -> str:
        """The certificate's resource name."""
        return f"{self.authority}/certificates/{self.certificate_id}"


@dataclass(frozen=True, slots=True)
class _Cluster:
    """All identifiers that hang together with the given ones, and the links that stand of them."""

    links: Mapping[str, LinkRow]
    turns: Mapping[str, Row | None]

    def reach(self, links: Sequence[LinkRow]) -> dict[str, frozenset[str]]:
        """Under each identifier, which others are seen through `links`."""
        plain: list[Link] = [one.link for one in links]
        return {index: reached(plain, index) for index in self.turns}


@dataclass(frozen=True, slots=True)
class _Basis:
    """What a link is decided on: the certificate, whom its seal names, and what hangs together."""

    source: Held
    present: Holder = field(repr=False)
    cluster: _Cluster


@dataclass(frozen=True, slots=True)
class HolderLinks:
    """Links of identifiers: made, taken back, listed."""

    clock: Clock
    database: Database
    recorder: Recorder
    access: Access
    holder_keys: HolderKeys
    reader: CertificateReader

    async def link(
        self, call: Call, order: LinkOrder, encode: Callable[[LinkRow], bytes]
    ) -> Answered:
        """Link an identifier to the holder of a certificate; durable when it returns.

        1. Evidence and date are written as they must be.
        2. The certificate is of the caller's authority and in force; its seal names one holder.
        3. The two identifiers are such as the kind of link says.
        4. Record the link, and under which identifiers which others are seen from now on.

        Raises HubError: FIELD_INVALID, CERTIFICATE_NOT_FOUND, TRANSITION_NOT_ALLOWED,
        REQUEST_ID_REUSED, DECISION_STALE, LOG_UNAVAILABLE. Then nothing is linked.
        """
        _check(order, legal_day(self.clock()).isoformat())
        if order.authority not in self.access.kept(call.caller):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=order.certificate)

        async def decide() -> Change:
            return self._link(call.caller, order, await self._basis(order), encode)

        return await read_and_change_once(self.recorder, call, decide)

    async def unlink(
        self, call: Call, link_id: str, evidence: Evidence, encode: Callable[[LinkRow], bytes]
    ) -> Answered:
        """Take a link of one's own back; durable when it returns.

        Raises HubError: FIELD_INVALID, HOLDER_LINK_NOT_FOUND (another authority's too),
        TRANSITION_NOT_ALLOWED where it was taken back before, REQUEST_ID_REUSED, DECISION_STALE,
        LOG_UNAVAILABLE.
        """
        check_evidence(evidence)
        name = f"holderLinks/{link_id}"

        async def decide() -> Change:
            row = await self.database.one(ONE_LINK, link_id)
            known = None if row is None else link_of(row)
            if known is None or not self._is_own(call.caller, known):
                raise HubError(Reason.HOLDER_LINK_NOT_FOUND, name=name)
            cluster = await self._cluster(known.former_index, known.present_index)
            if known.id not in cluster.links:
                raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=name, state=known.state)
            ended = known._replace(
                state=UNLINKED,
                unlink_document_digest=evidence.document_digest,
                unlink_legal_basis=evidence.legal_basis,
                unlink_time_us=self.clock(),
                entry=ENTRY_INDEX,
            )
            rest = [one for one in cluster.links.values() if one.id != known.id]
            return Change(
                kind="holder.unlinked",
                data={
                    "link": name,
                    "document_digest": evidence.document_digest,
                    "legal_basis": evidence.legal_basis,
                },
                writes=[Write(PUT_LINK, [ended]), *_reach_writes(cluster, rest, known)],
                checks=[self.access.check(call.caller), *_turn_checks(cluster)],
                answer=encode(ended),
            )

        return await read_and_change_once(self.recorder, call, decide)

    async def list(self, caller: Caller, *, after: str, size: int) -> tuple[Sequence[LinkRow], str]:
        """A page of the caller's authority's links, of all for an auditor, and after which of them
        the next page begins; empty on the last."""
        if caller.role is Role.AUDITOR:
            rows = await self.database.all(ALL_LINKS, after, size + 1)
        else:
            rows = []
            for authority in self.access.kept(caller):
                rows += await self.database.all(LINKS_OF_AUTHORITY, authority, after, size + 1)
        page = sorted(map(link_of, rows), key=lambda one: one.id)[:size]
        sees_all = caller.role is Role.AUDITOR
        found = [one for one in page if sees_all or self._is_own(caller, one)]
        return found, page[-1].id if len(rows) > size else ""

    def _is_own(self, caller: Caller, link: LinkRow) -> bool:
        """Whether the caller's authority keeps the certificate that the link was made by."""
        type_code = CertificateIdentifier.parse(link.identifier, lenient=True).type_code
        return link.authority in self.access.kept(caller, type_code)

    async def _basis(self, order: LinkOrder) -> _Basis:
        row = await self.database.one(HELD_NOW, order.certificate_id, order.authority)
        if row is None:
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=order.certificate)
        source = held_of(row)
        present = await self.reader.sealed_holder(source.identifier)
        if present is None:
            raise field_invalid(violation("certificate", "link.one_holder"))
        cluster = await self._cluster(self._index(order.former), self._index(present))
        return _Basis(source, present, cluster)

    async def _cluster(self, *identifiers: str) -> _Cluster:
        """What hangs together with `identifiers`; never much more than may."""
        links: dict[str, LinkRow] = {}
        turns: dict[str, Row | None] = {}
        ahead = list(identifiers)
        while ahead and len(turns) <= LINKED_MAX:
            index = ahead.pop()
            if index in turns:
                continue
            # Read first: whatever is linked after this makes the decision stale.
            turns[index] = await self.database.one(LINKS_TURN, index, index)
            for one in map(link_of, await self.database.all(LINKS_OF, index, index)):
                links[one.id] = one
                ahead += (one.former_index, one.present_index)
        return _Cluster(links, turns)

    def _link(
        self,
        caller: Caller,
        order: LinkOrder,
        basis: _Basis,
        encode: Callable[[LinkRow], bytes],
    ) -> Change:
        """Steps 2 to 4."""
        source, cluster, now_us = basis.source, basis.cluster, self.clock()
        if source.authority not in self.access.kept(caller, source.type_code):
            raise HubError(Reason.CERTIFICATE_NOT_FOUND, name=order.certificate)
        state = state_on(source.state, source.valid_from, source.valid_until, legal_day(now_us))
        if state is not State.ACTIVE:
            raise HubError(Reason.TRANSITION_NOT_ALLOWED, name=order.certificate, state=state.value)
        fault = link_fault(order.kind, order.former, basis.present)
        if fault is not None:
            raise field_invalid(violation("former", fault))
        if len(cluster.turns) > LINKED_MAX:
            raise field_invalid(violation("former", "link.too_many", limit=LINKED_MAX))
        made = LinkRow(
            id=names.new_id_at(now_us),
            what=order.kind.value,
            state=LINKED,
            authority=order.authority,
            former_index=self._index(order.former),
            present_index=self._index(basis.present),
            holder_key_id=self.holder_keys.holder_key_id,
            certificate_id=source.id,
            identifier=source.identifier,
            effective_date=order.effective_date,
            document_digest=order.evidence.document_digest,
            legal_basis=order.evidence.legal_basis,
            time_us=now_us,
            unlink_document_digest="",
            unlink_legal_basis="",
            unlink_time_us=0,
            entry=ENTRY_INDEX,
            retention_class=source.retention_class,
        )
        return Change(
            kind="holder.linked",
            data={
                "link": f"holderLinks/{made.id}",
                "kind": made.what,
                "certificate": source.identifier,
                "effective_date": made.effective_date,
                "document_digest": made.document_digest,
                "legal_basis": made.legal_basis,
            },
            writes=[
                Write(INSERT_LINK, [made]),
                *_reach_writes(cluster, [*cluster.links.values(), made], made),
            ],
            checks=[
                self.access.check(caller),
                Check(
                    VERSION_STATE,
                    (source.version_id,),
                    (source.state.value, source.state_entry),
                ),
                *_turn_checks(cluster),
            ],
            answer=encode(made),
        )

    def _index(self, holder: Holder) -> str:
        return self.holder_keys.holder_index(holder.type, holder.number)


def _reach_writes(cluster: _Cluster, links: Sequence[LinkRow], changed: LinkRow) -> list[Write]:
    """What changes where `links` stand in the place of those of the cluster."""
    before, after = cluster.reach(list(cluster.links.values())), cluster.reach(links)
    return put_reach(before, after, changed.holder_key_id, changed.retention_class)


def _turn_checks(cluster: _Cluster) -> list[Check]:
    return [unchanged_links(index, turn) for index, turn in cluster.turns.items()]


def _check(order: LinkOrder, today: str) -> None:
    """Step 1."""
    dated = date_violation("effective_date", order.effective_date)
    if dated is None and order.effective_date > today:
        dated = violation("effective_date", "value.future")
    check_evidence(order.evidence, dated, needs_document=not order.kind.is_self_evident)
