"""Decision records in, an append-only SQLite log and queries over it out.

One row a decision: the canonical bytes of the record as they were hashed, and the
columns that queries filter by.  Triggers refuse changes and deletions; that stops
accidents, the digests show the rest.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from adjudge.canonical import sha256_hex
from adjudge.decision.model import Decision
from adjudge.decision.times import parse_time
from adjudge.errors import AdjudgeError

SCHEMA_VERSION = 1

_SCHEMA = """
create table if not exists decision (
    seq integer primary key autoincrement,
    decision_id text not null unique,
    time_ns integer not null,
    outcome text not null,
    subject text not null,
    tenant text,
    digest text not null,
    record blob not null
) strict;
create index if not exists decision_time on decision (time_ns);
create trigger if not exists decision_no_update before update on decision
    begin select raise(abort, 'the decision log is append-only'); end;
create trigger if not exists decision_no_delete before delete on decision
    begin select raise(abort, 'the decision log is append-only'); end;
"""


class LedgerError(AdjudgeError):
    """The log cannot be opened, read or written, or holds what it should not."""


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """One row: its position in the log (from 1) and the record."""

    seq: int
    decision: Decision


class DecisionLog:
    """An append-only log in one SQLite file; safe to use from several threads and processes.

    Raises :class:`LedgerError` ``ledger_unavailable`` when the file cannot be opened and
    ``ledger_not_a_log`` when it is something else.
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        if not create and not self.path.exists():
            raise LedgerError(
                "ledger_not_found",
                f"{self.path}: there is no decision log",
                hint="`adjudge serve` and `adjudge check --log FILE` make one",
            )
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(
                self.path, isolation_level=None, timeout=30, check_same_thread=False
            )
            self._prepare()
        except sqlite3.DatabaseError as e:
            raise LedgerError("ledger_unavailable", f"{self.path}: {e}") from None

    def _prepare(self) -> None:
        db = self._db
        db.execute("pragma journal_mode = wal")
        db.execute("pragma synchronous = full")
        version = db.execute("pragma user_version").fetchone()[0]
        tables = db.execute("select count(*) from sqlite_master").fetchone()[0]
        if version not in (0, SCHEMA_VERSION) or (version == 0 and tables):
            raise LedgerError(
                "ledger_not_a_log",
                f"{self.path}: this is no decision log of this version",
                hint="name another file",
            )
        db.executescript(_SCHEMA)
        db.execute(f"pragma user_version = {SCHEMA_VERSION}")

    def append(self, decisions: Sequence[Decision]) -> None:
        """Write decisions in one transaction; when this returns, they are on disk.

        Raises :class:`LedgerError` ``ledger_write_failed``; then none was written.
        """
        rows = [_row(d) for d in decisions]
        with self._lock:
            try:
                self._db.execute("begin immediate")
                try:
                    self._db.executemany(
                        "insert into decision"
                        " (decision_id, time_ns, outcome, subject, tenant, digest, record)"
                        " values (?, ?, ?, ?, ?, ?, ?)",
                        rows,
                    )
                    self._db.execute("commit")
                except BaseException:
                    self._db.execute("rollback")
                    raise
            except (sqlite3.Error, OverflowError) as e:
                # The columns hold 64 bits: times up to the year 2262.
                raise LedgerError("ledger_write_failed", f"{self.path}: {e}") from None

    def decisions(
        self, since_ns: int | None = None, until_ns: int | None = None
    ) -> Iterator[LoggedDecision]:
        """The decisions with ``since_ns <= time < until_ns``, in log order.

        Raises :class:`LedgerError` ``ledger_corrupt`` at a record that is not what its
        digest says.
        """
        query = "select seq, digest, record from decision where time_ns >= ? and time_ns < ?"
        bounds = (
            -(2**63) if since_ns is None else since_ns,
            2**63 - 1 if until_ns is None else until_ns,
        )
        try:
            for seq, digest, record in self._db.execute(f"{query} order by seq", bounds):
                if sha256_hex(record) != digest:
                    raise LedgerError(
                        "ledger_corrupt",
                        f"{self.path}: entry {seq} is not the record that was logged",
                        hint="the file was changed from outside; restore it from a copy",
                    )
                yield LoggedDecision(seq, Decision.from_json(record))
        except sqlite3.Error as e:
            raise LedgerError("ledger_unavailable", f"{self.path}: {e}") from None

    def __len__(self) -> int:
        return int(self._db.execute("select count(*) from decision").fetchone()[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def __enter__(self) -> DecisionLog:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _row(decision: Decision) -> tuple[object, ...]:
    first = decision.subject[0] if decision.subject else None
    return (
        decision.decision_id,
        parse_time(decision.time),
        decision.outcome,
        first.name if first else "",
        decision.context.tenant,
        decision.digest,
        decision.canonical,
    )
