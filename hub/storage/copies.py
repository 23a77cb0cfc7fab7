"""A whole database as files, one per table, and back: for backups and for moving to another engine.

A file holds its table's rows, each as u32be length ‖ the bytes that its digest is taken over, so
both engines write the same files for the same rows. Two sums guard it: SHA-256 of the file, and the
sum of all row digests, which does not depend on the order in which an engine gives its rows.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    LargeBinary,
    MetaData,
    Table,
    Text,
    literal_column,
    select,
)

from hub.errors import HubError, Reason
from hub.proof.log.row import row_bytes, row_digest, row_from_bytes
from hub.storage.database import Database, Snapshot, Transaction
from hub.storage.statements import (
    Row,
    Statement,
    WriteStatement,
    insert_into,
    question,
)

Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with the part that is worked on, how much of it is done, and of how much (0: unknown)."""

Watch: TypeAlias = Callable[[Row], None]

_ROWS: Final = 1000
# More than any row of the hub: a damaged length must not ask for the whole memory.
_ROW_BYTES_MAX: Final = 64 * 1024 * 1024
_SUM_MODULUS: Final = 1 << 256
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_KINDS: Final = {"integer": BigInteger, "text": Text, "bytes": LargeBinary}


@dataclass(frozen=True, slots=True)
class TableFile:
    """One table of a copy: how it is laid out, and what its file must come to."""

    name: str
    columns: tuple[str, ...]
    kinds: tuple[str, ...]
    rows: int
    bytes: int
    sha256: str
    rows_digest: str

    @property
    def file(self) -> str:
        """The file's name inside the copy's folder."""
        return f"{self.name}.rows"

    @classmethod
    def parse(cls, members: Mapping[str, object]) -> TableFile:
        """One table of a manifest. Raises ValueError, for its words go into statements."""
        name, columns, kinds = (members[each] for each in ("name", "columns", "kinds"))
        if not isinstance(columns, list) or not isinstance(kinds, list):
            raise ValueError("columns and kinds are lists")
        for word in (name, *columns):
            if not isinstance(word, str) or not _NAME.fullmatch(word):
                raise ValueError(f"{word!r} names no table or column")
        if len(columns) != len(kinds) or not columns or not set(kinds) <= _KINDS.keys():
            raise ValueError(f"the columns of {name} have other kinds")
        rows, size = members["rows"], members["bytes"]
        if not isinstance(rows, int) or not isinstance(size, int) or rows < 0 or size < 0:
            raise ValueError(f"rows and bytes of {name} are counts")
        digests = (str(members["sha256"]), str(members["rows_digest"]))
        return cls(str(name), tuple(columns), tuple(kinds), rows, size, *digests)

    def members(self) -> dict[str, object]:
        """The same for a manifest."""
        return {
            "name": self.name,
            "columns": list(self.columns),
            "kinds": list(self.kinds),
            "rows": self.rows,
            "bytes": self.bytes,
            "sha256": self.sha256,
            "rows_digest": self.rows_digest,
        }

    def table(self) -> Table:
        """The table as the copy knows it: of an older schema, perhaps."""
        columns = [Column(*pair) for pair in zip(self.columns, self._types(), strict=True)]
        return Table(self.name, MetaData(), *columns)

    def _types(self) -> list[type[BigInteger | Text | LargeBinary]]:
        return [_KINDS[kind] for kind in self.kinds]


@dataclass(slots=True)
class RowSum:
    """The sum of row digests modulo 2²⁵⁶, and their number."""

    rows: int = 0
    _sum: int = 0

    def add(self, digest: bytes) -> None:
        """One row more."""
        self.rows += 1
        self._sum = (self._sum + int.from_bytes(digest, "big")) % _SUM_MODULUS

    def text(self) -> str:
        """64 hexadecimal digits."""
        return f"{self._sum:064x}"


@dataclass(slots=True)
class _Writing:
    """A table's file while it is written."""

    file: BinaryIO
    sum: RowSum = field(default_factory=RowSum)
    bytes: int = 0
    _hash: hashlib._Hash = field(default_factory=hashlib.sha256)

    def add(self, rows: Sequence[Row]) -> None:
        parts = []
        for row in rows:
            data = row_bytes(row)
            self.sum.add(hashlib.sha256(data).digest())
            parts += [len(data).to_bytes(4, "big"), data]
        written = b"".join(parts)
        self._hash.update(written)
        self.bytes += len(written)
        self.file.write(written)

    def finish(self, statement: WriteStatement) -> TableFile:
        self.file.flush()
        os.fsync(self.file.fileno())
        return TableFile(
            statement.table,
            statement.columns,
            statement.kinds,
            self.sum.rows,
            self.bytes,
            self._hash.hexdigest(),
            self.sum.text(),
        )


async def copy_out(
    snapshot: Snapshot,
    metadata: MetaData,
    folder: Path,
    progress: Progress,
    watches: Mapping[str, Watch],
) -> list[TableFile]:
    """Write every table of one state of the database into `folder`; durable on return.

    `watches` see each row of the tables that they name, in the order of its primary key.
    """
    found = []
    for table in metadata.sorted_tables:
        statement, watch = insert_into(table), watches.get(table.name)
        path = folder / f"{table.name}.rows"
        with path.open("xb") as file:
            path.chmod(0o600)
            writing = _Writing(file)
            ordered = watch is not None
            async for rows in snapshot.scan(_all_rows(table, ordered=ordered), page=_ROWS):
                writing.add(rows)
                if watch is not None:
                    for row in rows:
                        watch(row)
                progress(table.name, writing.sum.rows, 0)
            found.append(writing.finish(statement))
    return found


def check_files(
    folder: Path, tables: Sequence[TableFile], progress: Progress, watches: Mapping[str, Watch]
) -> None:
    """Every file is what the manifest says; `watches` as in `copy_out`.

    Raises HubError(BACKUP_INVALID) that names the first file that is not.
    """
    for table in tables:
        path, total = folder / table.file, RowSum()
        watch = watches.get(table.name)
        for row in _read(path, table):
            total.add(row_digest(row))
            if watch is not None:
                watch(row)
            if total.rows % _ROWS == 0:
                progress(table.name, total.rows, table.rows)
        if (total.rows, total.text()) != (table.rows, table.rows_digest):
            raise _invalid(path, "its rows are not those of the manifest")


def read_rows(folder: Path, table: TableFile) -> Iterator[Row]:
    """The rows of one table of a copy. Raises HubError(BACKUP_INVALID) at the end at the latest."""
    return _read(folder / table.file, table)


async def copy_in(
    database: Database, folder: Path, tables: Sequence[TableFile], progress: Progress
) -> None:
    """Load every file into its empty table, all or nothing: one transaction."""

    # On SQLite this never suspends, as a transaction demands: the files are read in between.
    async def load(transaction: Transaction) -> None:
        for table in tables:
            statement, done = insert_into(table.table()), 0
            for rows in _pages(_read(folder / table.file, table)):
                await transaction.write(statement, rows)
                done += len(rows)
                progress(table.name, done, table.rows)

    await database.transact(load)


async def check_rows(database: Database, tables: Sequence[TableFile], progress: Progress) -> None:
    """Every table holds exactly the rows of the copy. Raises HubError(DIGEST_MISMATCH)."""
    async with database.snapshot() as snapshot:
        for table in tables:
            total = RowSum()
            async for rows in snapshot.scan(_all_rows(table.table()), page=_ROWS):
                for row in rows:
                    total.add(row_digest(row))
                progress(table.name, total.rows, table.rows)
            if (total.rows, total.text()) != (table.rows, table.rows_digest):
                raise HubError(
                    Reason.DIGEST_MISMATCH, what=f"table {table.name} of {total.rows} rows"
                )


async def is_empty(database: Database, metadata: MetaData) -> bool:
    """Whether no table holds a row."""
    for table in metadata.sorted_tables:
        first = select(*table.columns).limit(literal_column("1"))
        if await database.all(question(f"first row of {table.name}", first)):
            return False
    return True


def _all_rows(table: Table, *, ordered: bool = False) -> Statement:
    asked = select(*table.columns)
    # Sorting a large table by random keys costs more than reading it; only who watches needs it.
    if ordered:
        asked = asked.order_by(*table.primary_key.columns)
    return question(f"all rows of {table.name}", asked)


def _pages(rows: Iterator[Row]) -> Iterator[list[Row]]:
    page: list[Row] = []
    for row in rows:
        page.append(row)
        if len(page) == _ROWS:
            yield page
            page = []
    if page:
        yield page


def _read(path: Path, table: TableFile) -> Iterator[Row]:
    """The rows of a file. Raises HubError(BACKUP_INVALID) where size, bytes or layout differ."""
    digest, size, width = hashlib.sha256(), 0, len(table.columns)
    try:
        with path.open("rb") as file:
            while head := file.read(4):
                length = int.from_bytes(head, "big")
                if len(head) != 4 or length > _ROW_BYTES_MAX:
                    raise _invalid(path, "a row has no proper length")
                data = file.read(length)
                digest.update(head)
                digest.update(data)
                size += 4 + len(data)
                row = row_from_bytes(data) if len(data) == length else ()
                if len(row) != width:
                    raise _invalid(path, f"a row has {len(row)} columns instead of {width}")
                yield row
    except (OSError, ValueError) as error:
        raise _invalid(path, str(getattr(error, "strerror", "") or error)) from error
    if (size, digest.hexdigest()) != (table.bytes, table.sha256):
        raise _invalid(path, f"its {size} bytes are not those of the manifest")


def _invalid(path: Path, rule: str) -> HubError:
    return HubError(Reason.BACKUP_INVALID, path=path, rule=rule)
