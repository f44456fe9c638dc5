"""A whole log and its public key in, everything that is wrong with it out.

The tree is computed again from the leaves alone, one page after another, and compared with every
checkpoint that was ever signed, with the stored nodes, and with the records and private values.
Nothing is repaired.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from adjudge.canonical import sha256_hex
from adjudge.ledger.checkpoint import MAX_SIZE, Checkpoint, verify_checkpoint
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.items import ERASURE
from adjudge.ledger.leaf import Leaf, commitment
from adjudge.ledger.log import CLOCK_TOLERANCE_US, Ledger
from adjudge.ledger.merkle import HASH_SIZE, Frontier, leaf_hash
from adjudge.ledger.note import VerifierKey
from adjudge.ledger.rows import PAGE, Private, Stored

_Part: TypeAlias = tuple[int, str | None]

MAX_PROBLEMS: Final = 100
"""Problems that are listed; more are only counted."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong: a stable code and a sentence."""

    code: str
    message: str


@dataclass(slots=True)
class Audit:
    """What an audit found.  ``signed`` is the size of the newest checkpoint: what is behind it
    could be taken away without notice.  ``problems`` holds the first of them."""

    origin: str
    size: int = 0
    root: bytes = b""
    signed: int = 0
    checkpoints: int = 0
    witnessed: int = 0
    erased_records: int = 0
    erased_values: int = 0
    problem_count: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problem_count

    def found(self, code: str, message: str) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message))

    def warn(self, code: str, message: str) -> None:
        """Note something that is not wrong, and should be known."""
        if len(self.warnings) < MAX_PROBLEMS:
            self.warnings.append(Problem(code, message))


def audit(
    ledger: Ledger,
    key: VerifierKey,
    *,
    witnesses: Sequence[VerifierKey] = (),
    known: Iterable[Checkpoint] = (),
) -> Audit:
    """Check the whole log against the key of its owner and checkpoints that are ``known``
    (verified before, and kept elsewhere).  Raises :class:`LedgerError` only when the database
    cannot be read."""
    auditor = _Auditor(ledger, key, witnesses, known)
    try:
        auditor.run()
    except LedgerError as error:
        if error.code != "ledger_corrupt":
            raise
        auditor.out.found(error.code, error.message)
    return auditor.out


class _Auditor:
    def __init__(
        self,
        ledger: Ledger,
        key: VerifierKey,
        witnesses: Sequence[VerifierKey],
        known: Iterable[Checkpoint],
    ) -> None:
        self.ledger = ledger
        self.rows = ledger.rows
        self.key = key
        self.witnesses = witnesses
        self.known = {head.size: head for head in known}
        self.out = Audit(ledger.origin)
        self.frontier = Frontier()
        self.last_us = 0
        self.diverged = False
        # What is gone, and what the log says was erased: indexes with names, None for the record.
        self.gone: set[_Part] = set()
        self.erased: set[_Part] = set()

    def run(self) -> None:
        out = self.out
        if self.key != self.ledger.key:
            out.found("ledger_key_mismatch", f"the log says that its key is {self.ledger.key}")
        stored: list[bytes] | None = None
        try:
            state = self.rows.state().frontier
            size, stored = state.size, state.hashes
        except LedgerError as error:
            out.found(error.code, error.message)
            size = self.rows.count()
        # What the ledger says of its size may be anything; no more is read than there is.
        there = self.rows.count()
        if size > there:
            out.found("ledger_entry_missing", f"{size - there} of {size} entries are missing")
        self._checkpoints(self.rows.checkpoints(0, 1))
        for start in range(0, min(size, there + PAGE), PAGE):
            self._page(start, min(start + PAGE, size))
        out.size, out.root = size, self.frontier.root()
        if stored is not None and stored != self.frontier.hashes and not self.diverged:
            out.found(
                "ledger_tree_changed", "the stored end of the tree is not the one of its leaves"
            )
        self._ends(size)

    # --- entries ----------------------------------------------------------------------------

    def _page(self, start: int, stop: int) -> None:
        rows = {row.index: row for row in self.rows.stored(start, stop)}
        private: dict[int, list[Private]] = {}
        for part in self.rows.private(start, stop):
            private.setdefault(part.index, []).append(part)
        notes = dict(self.rows.checkpoints(start + 1, stop + 1))
        nodes: dict[int, list[tuple[int, bytes]]] = {}
        for index in range(start, stop):
            row = rows.get(index)
            if row is None:
                self.out.found("ledger_entry_missing", f"entry {index} was removed")
            else:
                self._entry(row, private.get(index, []))
            leaf = bytes(HASH_SIZE) if row is None else leaf_hash(row.leaf)
            for node, value in self.frontier.push(leaf):
                if node.level:
                    nodes.setdefault(node.level, []).append((node.place, value))
            if index + 1 in notes:
                self._checkpoints([(index + 1, notes[index + 1])])
            if index + 1 in self.known:
                self._compare(self.known[index + 1], "the checkpoint that was kept")
        for level, made in nodes.items():
            if self.rows.level(level, made[0][0], made[-1][0] + 1) != made and not self.diverged:
                place = f"level {level}, entries {start} to {stop - 1}"
                self.out.found("ledger_tree_changed", f"a stored part of the tree changed: {place}")

    def _entry(self, row: Stored, private: Sequence[Private]) -> None:
        index, out = row.index, self.out
        try:
            leaf = Leaf.parse(row.leaf)
            when = datetime.fromisoformat(leaf.time)
        except (LedgerError, ValueError) as error:
            out.found("leaf_malformed", f"entry {index}: {error}")
            return
        if (row.id, row.kind) != (leaf.id, leaf.kind):
            out.found("ledger_entry_changed", f"entry {index} is filed under another id or kind")
        if row.record is None:
            self.gone.add((index, None))
        elif sha256_hex(row.record) != leaf.record:
            out.found("record_mismatch", f"entry {index} has another record than was logged")
        elif leaf.kind == ERASURE:
            try:
                self.erased.update(_erased(row.record))
            except (ValueError, TypeError, LookupError, RecursionError):
                out.found("leaf_malformed", f"entry {index} is no record of an erasure")
        values = {value.name: value for value in private}
        for name, committed in leaf.private.items():
            value = values.pop(name, None)
            if value is None:
                self.gone.add((index, name))
            elif commitment(name, value.salt, value.value) != committed:
                out.found("commitment_mismatch", f"entry {index}: {name} is not what was logged")
        for name in values:
            out.found("commitment_mismatch", f"entry {index}: {name[:80]} was never logged")
        now_us = int(when.timestamp()) * 1_000_000 + when.microsecond
        if now_us < self.last_us - CLOCK_TOLERANCE_US:
            out.warn(
                "ledger_clock_backwards", f"entry {index} says it is older than the one before"
            )
        self.last_us = now_us

    # --- checkpoints ------------------------------------------------------------------------

    def _checkpoints(self, notes: Iterable[tuple[int, str]]) -> None:
        """Compare checkpoints of the tree as it is at this point."""
        for size, text in notes:
            try:
                head = verify_checkpoint(text, self.key).checkpoint
            except LedgerError as error:
                self.out.found(error.code, f"checkpoint {size}: {error.message}")
                continue
            self.out.checkpoints += 1
            self.out.signed = size
            self._compare(head, f"checkpoint {size}")

    def _compare(self, head: Checkpoint, name: str) -> None:
        if (head.size, head.root) != (self.frontier.size, self.frontier.root()) and (
            not self.diverged
        ):
            # Every later one differs, too.
            self.diverged = True
            self.out.found(
                "checkpoint_inconsistent",
                f"{name} is of another tree: an entry before {self.frontier.size} was changed,"
                " removed, added or moved",
            )

    # --- what is left -----------------------------------------------------------------------

    def _ends(self, size: int) -> None:
        out = self.out
        beyond = [n for n, _ in self.rows.checkpoints(size + 1, MAX_SIZE)]
        beyond += [n for n in self.known if n > size]
        if beyond:
            out.found(
                "checkpoint_shrank",
                f"the log had {max(beyond)} entries when it was signed, and has {size}",
            )
        if self.rows.highest() >= size:
            out.found("ledger_entry_extra", f"there are entries behind the {size} of the tree")
        if self.rows.count_nodes() != sum(size >> level for level in range(1, size.bit_length())):
            if not self.diverged:
                out.found(
                    "ledger_tree_changed", "stored parts of the tree are missing, or too many"
                )
        for index, name in sorted(self.gone - self.erased, key=str):
            what = "the record" if name is None else f"the private value {name}"
            out.found(
                "ledger_value_missing", f"entry {index}: {what} is gone, and no erasure says so"
            )
        for index, name in sorted(self.erased - self.gone, key=str):
            what = "the record" if name is None else f"the private value {name}"
            out.found("ledger_erasure_undone", f"entry {index}: {what} was erased, and is there")
        out.erased_records = sum(name is None for _, name in self.gone)
        out.erased_values = len(self.gone) - out.erased_records
        if out.signed < size:
            out.warn(
                "ledger_not_signed",
                f"entries that were added since it was signed: {size - out.signed}",
            )
        self._witnesses()

    def _witnesses(self) -> None:
        found = self.rows.latest() if self.witnesses else None
        if found is not None:
            try:
                verified = verify_checkpoint(found[1], self.key, witnesses=self.witnesses)
                self.out.witnessed = len({name for name, _ in verified.witnesses})
            except LedgerError as error:
                self.out.found(error.code, f"checkpoint {found[0]}: {error.message}")


def _erased(record: bytes) -> Iterator[_Part]:
    """What the record of an erasure says is gone; errors of any kind when it is none."""
    about = json.loads(record)
    for name in about["private"]:
        yield about["entry"], name
    if about["record"]:
        yield about["entry"], None
