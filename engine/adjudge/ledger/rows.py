"""The rows of one log in a database in, what they stand for out.

Everything that is SQL and not specific to one database stands here.  Nothing here decides
anything; :mod:`adjudge.ledger.log` does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adjudge.ledger.database import Database, Row
from adjudge.ledger.errors import LedgerError, ProofError
from adjudge.ledger.leaf import Leaf
from adjudge.ledger.merkle import Frontier, Node, leaf_hash
from adjudge.ledger.note import Note, Signature, merged, parse_note

PAGE: Final = 500
"""Rows that are read at a time."""

_MAX_TIME_US: Final = 253_402_300_800 * 1_000_000
"""The year 10000."""

_IDS: Final = "select id from ledger_entry where log = ? and id in {}"
_LEAVES: Final = "select idx, leaf from ledger_entry where log = ? and idx in {}"
# A cross join, because SQLite then looks up one node after the other; for `in (values ...)` it
# reads all nodes of the log.
_NODES: Final = (
    "select n.level, n.idx, n.hash from (values {}) as w cross join ledger_node n"
    " where n.log = ? and n.level = w.column1 and n.idx = w.column2"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry: its index in the log (from 0), its leaf, and its record unless that was erased."""

    index: int
    leaf: Leaf
    record: bytes | None = None


@dataclass(frozen=True, slots=True)
class Private:
    """A private value of an entry, with the salt of its commitment."""

    index: int
    name: str
    salt: bytes
    value: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of an entry as it stands in the database, none of it checked."""

    index: int
    id: str
    kind: str
    leaf: bytes
    record: bytes | None


@dataclass(slots=True)
class State:
    """How far a log is: its frontier, and the time of its last entry (microseconds)."""

    frontier: Frontier
    time_us: int


class Rows:
    """The rows of one log, by its number in the database."""

    def __init__(self, database: Database, log: int) -> None:
        self.database = database
        self.log = log

    def _query(self, sql: str, parameters: Sequence[object], *types: Any) -> list[Row]:
        """Rows with columns of these types: SQLite keeps whatever somebody puts into a column.

        Raises :class:`LedgerError` ``ledger_corrupt``.
        """
        rows = self.database.query(sql, parameters)
        for row in rows:
            if not all(isinstance(value, kind) for value, kind in zip(row, types, strict=True)):
                raise corrupt(self.database, "a column holds something of another type")
        return rows

    # --- the log ----------------------------------------------------------------------------

    def state(self, *, lock: bool = False) -> State:
        """How far the log is; with ``lock`` no other writer goes on before the transaction ends.

        Raises :class:`LedgerError` ``ledger_corrupt``.
        """
        sql = "select size, frontier, time_us from ledger_log where log = ?"
        sql += self.database.for_update if lock else ""
        try:
            ((size, frontier, time_us),) = self._query(sql, (self.log,), int, bytes, int)
            if not 0 <= time_us < _MAX_TIME_US:
                raise ValueError("no year has this time")
            return State(Frontier.from_bytes(size, frontier), time_us)
        except ValueError:
            raise corrupt(self.database, "what it says of its size is not right") from None

    def advance(self, state: State) -> None:
        """Write how far the log is."""
        values = (state.frontier.size, state.frontier.to_bytes(), state.time_us, self.log)
        self.database.many(
            "update ledger_log set size = ?, frontier = ?, time_us = ? where log = ?", [values]
        )

    def identity(self) -> tuple[str, str | None]:
        """The origin and the verifier key of the log."""
        sql = "select origin, vkey from ledger_log where log = ?"
        ((origin, vkey),) = self._query(sql, (self.log,), str, str | None)
        return origin, vkey

    # --- entries ----------------------------------------------------------------------------

    def insert(
        self,
        entries: Sequence[tuple[Entry, int]],
        nodes: Sequence[tuple[Node, bytes]],
        private: Sequence[Private],
    ) -> None:
        """Add entries with the times they are about, and the nodes they complete."""
        many, log = self.database.many, self.log
        many(
            "insert into ledger_entry (log, idx, id, kind, about_ns, leaf)"
            " values (?, ?, ?, ?, ?, ?)",
            [(log, e.index, e.leaf.id, e.leaf.kind, about, e.leaf.data) for e, about in entries],
        )
        many(
            "insert into ledger_record (log, idx, data) values (?, ?, ?)",
            [(log, e.index, e.record) for e, _ in entries],
        )
        above = [(log, node.level, node.place, value) for node, value in nodes if node.level]
        if above:
            many("insert into ledger_node (log, level, idx, hash) values (?, ?, ?, ?)", above)
        if private:
            many(
                "insert into ledger_private (log, idx, name, salt, value) values (?, ?, ?, ?, ?)",
                [(log, p.index, p.name, p.salt, p.value) for p in private],
            )

    def known_ids(self, ids: Sequence[str]) -> list[str]:
        """Those of the ids that the log has."""
        found = []
        for start in range(0, len(ids), PAGE):
            some = ids[start : start + PAGE]
            rows = self._query(_IDS.format(_marks(some)), (self.log, *some), str)
            found += [row[0] for row in rows]
        return found

    def index_of(self, id: str) -> int | None:
        """The index of the entry with an id."""
        sql = "select idx from ledger_entry where log = ? and id = ?"
        rows = self._query(sql, (self.log, id), int)
        return rows[0][0] if rows else None

    def highest(self) -> int:
        """The index of the last entry; -1 when there is none."""
        sql = "select coalesce(max(idx), -1) from ledger_entry where log = ?"
        highest: int = self._query(sql, (self.log,), int)[0][0]
        return highest

    def count(self) -> int:
        """How many entries there are."""
        sql = "select count(*) from ledger_entry where log = ?"
        count: int = self._query(sql, (self.log,), int)[0][0]
        return count

    def stored(
        self, start: int, stop: int, about: tuple[int, int] | None = None, kind: str | None = None
    ) -> Iterator[Stored]:
        """Rows of entries by index, from ``start`` to before ``stop``.

        With ``about`` only those about a time in ``[from, to)``, with ``kind`` only those.
        """
        sql = (
            "select e.idx, e.id, e.kind, e.leaf, r.data"
            " from ledger_entry e left join ledger_record r on r.log = e.log and r.idx = e.idx"
            " where e.log = ? and e.idx >= ? and e.idx < ?"
        )
        more: list[object] = []
        if about is not None:
            sql, more = sql + " and e.about_ns >= ? and e.about_ns < ?", [*about]
            start, stop = self._span(start, stop, about)
        if kind is not None:
            sql, more = sql + " and e.kind = ?", [*more, kind]
        sql += f" order by e.idx limit {PAGE}"
        while start < stop:
            parameters = (self.log, start, stop, *more)
            rows = self._query(sql, parameters, int, str, str, bytes, bytes | None)
            for row in rows:
                yield Stored(*row)
            if len(rows) < PAGE:
                return
            start = rows[-1][0] + 1

    def _span(self, start: int, stop: int, about: tuple[int, int]) -> tuple[int, int]:
        """The part of ``start`` to ``stop`` where entries about a time are, by the index."""
        sql = (
            "select coalesce(min(idx), 0), coalesce(max(idx) + 1, 0) from ledger_entry"
            " where log = ? and about_ns >= ? and about_ns < ?"
        )
        ((first, end),) = self._query(sql, (self.log, *about), int, int)
        return max(start, first), min(stop, end)

    def entry(self, stored: Stored) -> Entry:
        """The entry in a row.  Raises :class:`LedgerError` ``ledger_corrupt``."""
        try:
            leaf = Leaf.parse(stored.leaf)
        except ProofError as error:
            raise corrupt(self.database, f"entry {stored.index}: {error.message}") from None
        return Entry(stored.index, leaf, stored.record)

    def private(self, start: int, stop: int) -> list[Private]:
        """The private values of entries, by index and name."""
        sql = (
            "select idx, name, salt, value from ledger_private"
            " where log = ? and idx >= ? and idx < ? order by idx, name"
        )
        rows = self._query(sql, (self.log, start, stop), int, str, bytes, bytes)
        return [Private(*row) for row in rows]

    def erase(self, index: int, names: Sequence[str], *, record: bool) -> None:
        """Remove private values of an entry, and its record when that is asked for."""
        self.database.many(
            "delete from ledger_private where log = ? and idx = ? and name = ?",
            [(self.log, index, name) for name in names],
        )
        if record:
            self.database.many(
                "delete from ledger_record where log = ? and idx = ?", [(self.log, index)]
            )

    # --- the tree ---------------------------------------------------------------------------

    def nodes(self, wanted: Sequence[Node]) -> Mapping[Node, bytes]:
        """The hashes of nodes.  Raises :class:`LedgerError` ``ledger_corrupt``."""
        found: dict[Node, bytes] = {}
        leaves = sorted({node.place for node in wanted if not node.level})
        above = sorted({node for node in wanted if node.level})
        if leaves:
            sql = _LEAVES.format(_marks(leaves))
            for place, leaf in self._query(sql, (self.log, *leaves), int, bytes):
                found[Node(0, place)] = leaf_hash(leaf)
        if above:
            sql = _NODES.format(", ".join(["(?, ?)"] * len(above)))
            flat = [number for node in above for number in node]
            for level, place, value in self._query(sql, (*flat, self.log), int, int, bytes):
                found[Node(level, place)] = value
        if len(found) != len(leaves) + len(above):
            raise corrupt(self.database, "a part of its tree is missing")
        return found

    def level(self, level: int, start: int, stop: int) -> list[tuple[int, bytes]]:
        """The stored nodes of a level by place, from ``start`` to before ``stop``."""
        sql = (
            "select idx, hash from ledger_node"
            " where log = ? and level = ? and idx >= ? and idx < ? order by idx"
        )
        rows = self._query(sql, (self.log, level, start, stop), int, bytes)
        return [(place, value) for place, value in rows]

    def count_nodes(self) -> int:
        """How many nodes above the leaves are stored."""
        sql = "select count(*) from ledger_node where log = ?"
        count: int = self._query(sql, (self.log,), int)[0][0]
        return count

    # --- checkpoints ------------------------------------------------------------------------

    def checkpoints(self, start: int, stop: int) -> list[tuple[int, str]]:
        """The sizes and notes of stored checkpoints with ``start <= size < stop``."""
        sql = (
            "select size, note from ledger_checkpoint"
            " where log = ? and size >= ? and size < ? order by size"
        )
        rows = self._query(sql, (self.log, start, stop), int, str)
        return [(size, note) for size, note in rows]

    def latest(self) -> tuple[int, Note] | None:
        """The size and the note of the newest checkpoint, with its cosignatures.

        Raises :class:`LedgerError` ``ledger_corrupt``.
        """
        sql = "select size, note from ledger_checkpoint where log = ? order by size desc limit 1"
        rows = self._query(sql, (self.log,), int, str)
        return (rows[0][0], self.cosigned(*rows[0])) if rows else None

    def cosigned(self, size: int, text: str) -> Note:
        """A stored note with the cosignatures that are stored for it.

        Raises :class:`LedgerError` ``ledger_corrupt``.
        """
        sql = (
            "select name, key_id, value from ledger_cosignature"
            " where log = ? and size = ? order by name, key_id"
        )
        rows = self._query(sql, (self.log, size), str, bytes, bytes)
        more = [Signature(*row) for row in rows]
        try:
            return merged(parse_note(text), more)
        except ProofError as error:
            raise corrupt(self.database, f"checkpoint {size}: {error.message}") from None

    def add_checkpoint(self, size: int, note: Note) -> None:
        """Store a checkpoint."""
        self.database.many(
            "insert into ledger_checkpoint (log, size, note) values (?, ?, ?)",
            [(self.log, size, str(note))],
        )

    def add_cosignature(self, size: int, line: Signature) -> None:
        """Store a cosignature."""
        self.database.many(
            "insert into ledger_cosignature (log, size, name, key_id, value)"
            " values (?, ?, ?, ?, ?)",
            [(self.log, size, line.name, line.key_id, line.value)],
        )


def corrupt(database: Database, why: str) -> LedgerError:
    """The error ``ledger_corrupt``."""
    return LedgerError(
        "ledger_corrupt",
        f"{database.shown}: the ledger was changed from outside: {why}",
        hint="`adjudge ledger verify` lists what is wrong; restore it from a copy",
    )


def _marks(values: Sequence[object]) -> str:
    return f"({', '.join('?' * len(values))})"
