"""A path in, a ledger's database in one SQLite file out.

Writers take turns (``begin immediate``), and a transaction that ended is on disk: write-ahead log
with ``synchronous = full``.  Removed rows are overwritten with zeros.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from adjudge.ledger.database import (
    APPEND_ONLY,
    ERASABLE,
    VERSION,
    WAIT_SECONDS,
    Row,
    not_a_log,
    not_found,
    statements,
)
from adjudge.ledger.errors import LedgerError

APPLICATION_ID = 0x61646A6C
"""Says in the header of the file that it is a ledger (``adjl``)."""


class SqliteDatabase:
    """A ledger in a file; :class:`~adjudge.ledger.database.Database` says what the methods do."""

    for_update = ""

    def __init__(self, path: Path, *, create: bool) -> None:
        self.shown = str(path)
        if not create and not os.path.lexists(path):
            raise not_found(self.shown)
        self._lock = threading.RLock()
        with self._told("ledger_unavailable"):
            try:
                # Private values are in it: nobody else may read what this makes.
                os.close(os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600))
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or str(error)
                raise LedgerError("ledger_unavailable", f"{self.shown}: {why.lower()}") from None
            self._db = sqlite3.connect(
                path, isolation_level=None, timeout=WAIT_SECONDS, check_same_thread=False
            )
            try:
                self._prepare(create)
            except BaseException:
                self._db.close()
                raise

    def _prepare(self, create: bool) -> None:
        ledger, empty = self._looked_at()
        if not ledger:
            if not (create and empty):
                raise not_a_log(self.shown)
            self._use_wal()
            with self.writing():
                if not self._is_ledger():
                    self._create()
        self._use_wal()
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma secure_delete = on")

    def _looked_at(self) -> tuple[bool, bool]:
        """Whether the file is a ledger and whether it is empty, both of one moment: another
        process may be making the ledger right now."""
        self._db.execute("begin")
        try:
            empty = self._value("select count(*) from sqlite_master") == 0
            return self._is_ledger(), empty
        finally:
            self._db.execute("rollback")

    def _is_ledger(self) -> bool:
        found = (self._value("pragma application_id"), self._value("pragma user_version"))
        return found == (APPLICATION_ID, VERSION)

    def _value(self, sql: str) -> object:
        return self._db.execute(sql).fetchone()[0]

    def _use_wal(self) -> None:
        """Switching takes the file for itself, and SQLite does not wait for that."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                self._db.execute("pragma journal_mode = wal")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > end:
                    raise
                time.sleep(0.02)

    def _create(self) -> None:
        for statement in statements("integer", "blob", " without rowid"):
            self._db.execute(statement)
        for table in APPEND_ONLY:
            self._refuse(table, "update", "delete")
        for table in ERASABLE:
            self._refuse(table, "update")
        self._refuse("ledger_log", "delete")
        self._db.execute(f"pragma application_id = {APPLICATION_ID}")
        self._db.execute(f"pragma user_version = {VERSION}")

    def _refuse(self, table: str, *actions: str) -> None:
        for action in actions:
            self._db.execute(
                f"create trigger {table}_no_{action} before {action} on {table}"
                " begin select raise(abort, 'the ledger is append-only'); end"
            )

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        with self._lock, self._told("ledger_unavailable"):
            return self._db.execute(sql, tuple(parameters)).fetchall()

    def many(self, sql: str, rows: Sequence[Sequence[object]]) -> None:
        with self._lock, self._told("ledger_write_failed"):
            self._db.executemany(sql, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._lock:
            with self._told("ledger_write_failed"):
                self._db.execute("begin immediate")
            try:
                yield
                with self._told("ledger_write_failed"):
                    self._db.execute("commit")
            except BaseException:
                # SQLite ends some transactions by itself, such as when the disk is full.
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def exclude(self) -> None:
        """Nothing: there is one writer at a time."""

    def scrub(self) -> None:
        with self._lock, self._told("ledger_write_failed"):
            self._db.execute("pragma wal_checkpoint(truncate)")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def _told(self, code: str) -> Iterator[None]:
        """Turns the errors of SQLite into ours."""
        try:
            yield
        except (sqlite3.Error, OverflowError) as error:
            text = str(error)
            if "malformed" in text or "no such table" in text or "no such column" in text:
                code = "ledger_corrupt"
            elif "is locked" in text:
                code = "ledger_busy"
            elif "Cannot operate on a closed" in text:
                code = "ledger_unavailable"
            raise LedgerError(code, f"{self.shown}: {text}") from None
