"""What people and systems may look up: certificates without personal fields and without holders.

Departments and connectors see their own authority's and what it took over of those that it has
succeeded, auditors and officers all. What a caller may
not see is answered like what is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from hub.domain.association import NAMED_LENGTH_MAX, IdentifierMode, first_of
from hub.domain.caller import Caller, Role
from hub.domain.holder import Holder
from hub.domain.identifier import IDENTIFIER_ROOT, VERSION_MAX, CertificateIdentifier
from hub.domain.row import text_violation
from hub.errors import HubError, Reason
from hub.registry.association_store import (
    ASSOCIATIONS_OF,
    SEARCH_BY_ASSOCIATED,
    SEARCH_BY_KNOWN_AS,
    named_of,
)
from hub.registry.catalogue import Catalogue
from hub.registry.judge import number_index
from hub.registry.ports import Access, Database, HolderKeys
from hub.registry.store import (
    CERTIFICATE_BY_NAME,
    SEARCH_BY_AUTHORITY,
    SEARCH_BY_AUTHORITY_AND_TYPE,
    SEARCH_BY_HOLDER,
    SEARCH_BY_NUMBER,
    SEARCH_BY_TYPE,
    VERSIONS_PAGE,
    VIEW_BY_IDENTIFIER,
    CertificateView,
    look_up,
    view_of,
)
from hub.storage.statements import Row

_SEES_ALL: Final = frozenset({Role.AUDITOR, Role.OFFICER})

# Pages read while looking for rows that pass the whole filter; a page may end short of its size.
PAGES_READ_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Filter:
    """What is looked for; None does not narrow. `type_code` is in capitals; `associated` is an
    identifier that the certificate names, in whatever version of the one named."""

    holder: Holder | None = field(default=None, repr=False)
    type_code: str | None = None
    number: str | None = field(default=None, repr=False)
    identifier: str | None = None
    authority: str | None = None
    associated: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Results, and the id after which the next page begins; empty on the last."""

    certificates: tuple[CertificateView, ...]
    after: str


@dataclass(frozen=True, slots=True)
class SearchCertificates:
    """Look up certificates."""

    database: Database
    access: Access
    catalogue: Catalogue
    holder_keys: HolderKeys

    async def get(self, caller: Caller, authority: str, certificate_id: str) -> CertificateView:
        """The newest version. Raises HubError(CERTIFICATE_NOT_FOUND)."""
        sees_all = caller.role in _SEES_ALL
        row = None
        if sees_all or authority in self.access.kept(caller):
            row = await self.database.one(CERTIFICATE_BY_NAME, certificate_id, authority)
        if row is None:
            raise _not_found(authority, certificate_id)
        view = view_of(row)
        if not (sees_all or authority in self.access.kept(caller, view.type_code)):
            raise _not_found(authority, certificate_id)
        (view,) = await self._with_named([view])
        return view

    async def versions(
        self, caller: Caller, authority: str, certificate_id: str, *, after: str, size: int
    ) -> Page:
        """Versions, newest first; `after` is the last version of the page before."""
        await self.get(caller, authority, certificate_id)
        before = int(after) if after else VERSION_MAX + 1
        rows = await self.database.all(VERSIONS_PAGE, certificate_id, authority, before, size + 1)
        views = await self._with_named([view_of(row) for row in rows[:size]])
        return Page(tuple(views), str(views[-1].version) if len(rows) > size else "")

    async def search(self, caller: Caller, wanted: Filter, *, after: str, size: int) -> Page:
        """Newest versions (by identifier: that version) that pass the whole filter, by id.

        The most selective part is asked of the database. Raises HubError(FIELD_INVALID) for an
        empty filter, (AUTHORITY_NOT_ALLOWED) where it names another authority than one's own,
        (IDENTIFIER_INVALID) for an identifier that does not check, unless its type takes such.
        """
        if wanted == Filter():
            rule = (
                "at least one of holder, certificate_type, number, identifier, authority, "
                "associated"
            )
            raise HubError(Reason.FIELD_INVALID, field="filter", rule=rule)
        if wanted.associated is not None and (wanted.identifier or wanted.number):
            rule = "goes with holder, certificate_type and authority only"
            raise HubError(Reason.FIELD_INVALID, field="filter.associated", rule=rule)
        # Whose certificates are asked for; one question for each.
        whose: Sequence[str | None] = (wanted.authority,)
        if caller.role not in _SEES_ALL:
            kept = self.access.kept(caller)
            if wanted.authority is None:
                whose = kept
            elif wanted.authority not in kept:
                raise HubError(Reason.AUTHORITY_NOT_ALLOWED, authority=wanted.authority)
        for identifier in (wanted.identifier, wanted.associated):
            if identifier is not None:
                self._check_identifier(identifier, wanted.type_code)
        allowed = await self._filtered_ids(wanted, whose)
        found: list[CertificateView] = []
        for _ in range(PAGES_READ_MAX):
            rows = await self._rows_of(wanted, whose, after, size + 1)
            for row in rows[:size]:
                view = view_of(row)
                after = view.id
                if (
                    _passes(view, wanted)
                    and (allowed is None or view.id in allowed)
                    and self._is_kept(caller, view)
                ):
                    found.append(view)
                    if len(found) == size:
                        more = len(rows) > size or view.id != str(rows[-1][0])
                        return await self._page(found, after if more else "")
            if len(rows) <= size:
                return await self._page(found, "")
        return await self._page(found, after)

    async def _page(self, found: list[CertificateView], after: str) -> Page:
        return Page(tuple(await self._with_named(found)), after)

    async def _with_named(self, views: list[CertificateView]) -> list[CertificateView]:
        """The views with the identifiers that their versions name."""
        rows: list[Row] = []
        for portion in look_up([view.version_id for view in views]):
            rows += await self.database.all(ASSOCIATIONS_OF, *portion)
        named = named_of(rows)
        return [
            replace(view, named=tuple(named[view.version_id])) if view.version_id in named else view
            for view in views
        ]

    def _check_identifier(self, text: str, type_code: str | None) -> None:
        """Refuse what is no identifier, unless the type that it is asked of takes such as given.

        Region codes in the issuer's place are read in any case: others issue them.
        """
        code = type_code or text.removeprefix(f"{IDENTIFIER_ROOT}.").partition(".")[0]
        known = self.catalogue.newest(code)
        if known is None or known.identifiers is IdentifierMode.STRICT:
            CertificateIdentifier.parse(text, lenient=True)
        elif (broken := text_violation("filter.identifier", text, NAMED_LENGTH_MAX)) is not None:
            raise HubError(
                Reason.IDENTIFIER_INVALID,
                violations=(broken,),
                field=broken.field,
                rule=broken.rule,
            )

    def _is_kept(self, caller: Caller, view: CertificateView) -> bool:
        """Whether nobody else has taken over what the view's authority issued of its type."""
        if caller.role in _SEES_ALL or view.authority == caller.authority:
            return True
        return view.authority in self.access.kept(caller, view.type_code)

    async def _rows_of(
        self, wanted: Filter, whose: Sequence[str | None], after: str, rows: int
    ) -> Sequence[Row]:
        """The first `rows` of what is asked of each authority, by id."""
        if len(whose) == 1:
            return await self._rows(replace(wanted, authority=whose[0]), after, rows)
        found: list[Row] = []
        for authority in whose:
            found += await self._rows(replace(wanted, authority=authority), after, rows)
        return sorted(found, key=lambda row: str(row[0]))[:rows]

    async def _rows(self, wanted: Filter, after: str, rows: int) -> Sequence[Row]:
        database, authority = self.database, wanted.authority or ""
        if wanted.identifier is not None:
            identifier = wanted.identifier
            found = await database.all(VIEW_BY_IDENTIFIER, identifier, authority)
            if found:
                return [row for row in found if str(row[0]) > after]
            return await database.all(
                SEARCH_BY_KNOWN_AS, first_of(identifier), identifier, authority, after, rows
            )
        if wanted.associated is not None:
            first = first_of(wanted.associated)
            return await database.all(SEARCH_BY_ASSOCIATED, first, authority, after, rows)
        if wanted.number is not None:
            plain, keyed = self._number(wanted.number, wanted.type_code)
            return await database.all(SEARCH_BY_NUMBER, plain, keyed, authority, after, rows)
        if wanted.holder is not None:
            return await database.all(
                SEARCH_BY_HOLDER, self._holder_index(wanted.holder), authority, after, rows
            )
        if wanted.authority is not None and wanted.type_code is not None:
            return await database.all(
                SEARCH_BY_AUTHORITY_AND_TYPE, wanted.authority, wanted.type_code, after, rows
            )
        if wanted.authority is not None:
            return await database.all(SEARCH_BY_AUTHORITY, wanted.authority, after, rows)
        assert wanted.type_code is not None, "an empty filter was refused"
        return await database.all(SEARCH_BY_TYPE, wanted.type_code, after, rows)

    async def _filtered_ids(
        self, wanted: Filter, whose: Sequence[str | None]
    ) -> frozenset[str] | None:
        """The holder's certificates, where the holder narrows another question."""
        if wanted.holder is None or (wanted.identifier, wanted.number, wanted.associated) == (
            (None,) * 3
        ):
            return None
        index = self._holder_index(wanted.holder)
        rows: list[Row] = []
        for authority in whose:
            rows += await self.database.all(SEARCH_BY_HOLDER, index, authority or "", "", 10_000)
        return frozenset(str(row[0]) for row in rows)

    def _number(self, number: str, type_code: str | None) -> tuple[str, str]:
        """The indexes under which a number may stand: in clear, or keyed for a type of persons.

        A number that may be personal is found only together with its type.
        """
        certificate_type = None if type_code is None else self.catalogue.newest(type_code)
        if certificate_type is None or certificate_type.has_public_numbers:
            return number, number
        keyed = number_index(self.holder_keys, certificate_type.code, number)
        return keyed, keyed

    def _holder_index(self, holder: Holder) -> str:
        return self.holder_keys.holder_index(holder.type, holder.number)


def _passes(view: CertificateView, wanted: Filter) -> bool:
    return wanted.authority in (None, view.authority) and wanted.type_code in (None, view.type_code)


def _not_found(authority: str, certificate_id: str) -> HubError:
    name = f"{authority}/certificates/{certificate_id}"
    return HubError(Reason.CERTIFICATE_NOT_FOUND, name=name)
