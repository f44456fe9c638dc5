"""A URL in, a database that keeps ledgers out: what SQLite and PostgreSQL have in common.

One ledger holds a log for each tenant, and every row belongs to one log.  Rows of entries, nodes
and checkpoints are only ever added: triggers refuse the rest.  That stops accidents; what an
owner of the database does on purpose, the tree shows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol

from adjudge.ledger.errors import LedgerError

VERSION: Final = 1
"""The version of the tables."""

WAIT_SECONDS: Final = 30
"""How long a writer waits for others."""

APPEND_ONLY: Final = ("ledger_entry", "ledger_node", "ledger_checkpoint", "ledger_cosignature")
"""Tables of which no row is ever changed or removed."""
ERASABLE: Final = ("ledger_record", "ledger_private")
"""Tables of which rows are removed, and never changed."""

TABLES: Final = (
    """create table ledger_log (
        log {int} primary key, tenant text not null unique, origin text not null unique,
        vkey text, size {int} not null, frontier {bytes} not null, time_us {int} not null)""",
    """create table ledger_entry (
        log {int} not null, idx {int} not null, id text not null, kind text not null,
        about_ns {int} not null, leaf {bytes} not null,
        primary key (log, idx), unique (log, id)){compact}""",
    "create index ledger_entry_about on ledger_entry (log, about_ns)",
    """create table ledger_node (
        log {int} not null, level {int} not null, idx {int} not null, hash {bytes} not null,
        primary key (log, level, idx)){compact}""",
    """create table ledger_record (
        log {int} not null, idx {int} not null, data {bytes} not null, primary key (log, idx))""",
    """create table ledger_private (
        log {int} not null, idx {int} not null, name text not null, salt {bytes} not null,
        value {bytes} not null, primary key (log, idx, name))""",
    """create table ledger_checkpoint (
        log {int} not null, size {int} not null, note text not null, primary key (log, size))""",
    """create table ledger_cosignature (
        log {int} not null, size {int} not null, name text not null, key_id {bytes} not null,
        value {bytes} not null, primary key (log, size, name, key_id))""",
)

Row = Sequence[Any]


class Database(Protocol):
    """One connection, which threads take turns with.  SQL has ``?`` for parameters.

    Every method raises :class:`LedgerError`: ``ledger_unavailable``, ``ledger_busy``,
    ``ledger_write_failed``, ``ledger_corrupt``.
    """

    shown: str
    """Where it is, without a password."""
    for_update: str
    """What a query ends with that keeps other writers from the rows it reads."""

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        """The rows of a query."""
        ...

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        """A statement, for each of the rows."""
        ...

    def writing(self) -> AbstractContextManager[None]:
        """A transaction: what happens in it is on disk when it ends, or did not happen."""
        ...

    def exclude(self) -> None:
        """Within :meth:`writing`: wait until nobody else makes logs."""
        ...

    def scrub(self) -> None:
        """Leave no trace of removed rows in files, as far as the database can."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


def open_database(url: str | Path, *, create: bool) -> Database:
    """The database at a URL: ``postgresql://...``, ``sqlite:PATH``, or a path.

    Raises :class:`LedgerError` ``ledger_unavailable``, ``ledger_not_found`` (and ``create`` is
    false), ``ledger_not_a_log`` (something else is there), ``ledger_url_invalid``,
    ``ledger_extra_missing``.
    """
    text = str(url)
    if re.match(r"postgres(ql)?://", text):
        # An extra, and one that takes its time to load.
        from adjudge.ledger.postgres import PostgresDatabase

        return PostgresDatabase(text, create=create)
    from adjudge.ledger.sqlite import SqliteDatabase

    scheme = re.match(r"([a-z][a-z0-9+]+):(//)?", text)
    if scheme is not None and scheme[1] != "sqlite":
        raise _bad_url(f"there is no store for {scheme[1]}:")
    path = text[len(scheme[0]) :] if scheme else text
    if not path.strip() or "\0" in path:
        raise _bad_url("it names no file")
    return SqliteDatabase(Path(path), create=create)


def statements(int_: str, bytes_: str, compact: str) -> list[str]:
    """The statements that make the tables, with the names a database has for types."""
    return [t.format(int=int_, bytes=bytes_, compact=compact) for t in TABLES]


def not_found(shown: str) -> LedgerError:
    """The error ``ledger_not_found``."""
    return LedgerError(
        "ledger_not_found",
        f"{shown}: there is no ledger",
        hint="`adjudge ledger init` makes one; so do `adjudge serve` and `adjudge check --ledger`",
    )


def not_a_log(shown: str) -> LedgerError:
    """The error ``ledger_not_a_log``."""
    return LedgerError(
        "ledger_not_a_log",
        f"{shown}: this is no ledger of this version",
        hint="name another file or database",
    )


def _bad_url(why: str) -> LedgerError:
    return LedgerError(
        "ledger_url_invalid",
        f"this is not where a ledger can be: {why}",
        hint="give a file, or postgresql://USER@HOST/DATABASE",
    )
