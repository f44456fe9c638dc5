"""Records in; entries of an append-only, signed log out: one tenant's log of a ledger.

What :meth:`Ledger.append` returned is on disk.  Writers in several processes take turns.  When the
log is opened with a key, every append is signed in the same transaction.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from adjudge.canonical import canonical_bytes, sha256_hex
from adjudge.decision.model import Decision
from adjudge.decision.times import parse_time
from adjudge.ledger.checkpoint import Checkpoint
from adjudge.ledger.database import Database, open_database
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.items import (
    DECISION,
    ERASURE,
    ERASURE_SCHEMA,
    MAX_NS,
    Item,
    LoggedDecision,
    make_entry,
    show_time,
)
from adjudge.ledger.leaf import commitment
from adjudge.ledger.logs import DEFAULT_TENANT, check_tenant, find_log, make_log, name_log
from adjudge.ledger.merkle import (
    Frontier,
    consistency_proof,
    cover,
    inclusion_proof,
    leaf_hash,
    root_at,
    verify_inclusion,
)
from adjudge.ledger.note import WITNESS, Note, Signs, VerifierKey, parse_note, verified_by
from adjudge.ledger.proof import Consistency, Receipt
from adjudge.ledger.rows import Entry, Rows, State, corrupt

CLOCK_TOLERANCE_US: Final = 300 * 1_000_000
"""How far the clock of a writer may be behind the entry before (microseconds)."""


class Ledger:
    """One tenant's log; safe to use from several threads and processes.

    ``origin`` names the log in its checkpoints; ``key`` is the public key it is signed with, as
    the ledger has it, or None while it has none.
    """

    def __init__(
        self,
        database: Database,
        tenant: str,
        signer: Signs | None,
        clock: Callable[[], int],
        check: bool = True,
    ) -> None:
        self.tenant = tenant
        self.url = database.shown
        self.rows = Rows(database, find_log(database, tenant))
        self._database = database
        self._signer = signer
        self._clock = clock
        self.origin, vkey = self.rows.identity()
        self.key = None if vkey is None else VerifierKey.parse(vkey)
        if signer is not None and (self.key is None or self.key.public != signer.public):
            raise LedgerError(
                "ledger_key_mismatch",
                f"{self.url}: the log {self.origin} is not signed with this key",
                hint="use the key that `adjudge ledger init` made or was given",
            )
        if check:
            self._check()

    # --- opening ----------------------------------------------------------------------------

    @classmethod
    def open(
        cls,
        url: str | Path,
        *,
        tenant: str = DEFAULT_TENANT,
        signer: Signs | None = None,
        create: bool = False,
        check: bool = True,
        clock: Callable[[], int] = time.time_ns,
    ) -> Ledger:
        """The log of a tenant, after a check of its newest parts (not with ``check=False``, which
        is for audits).

        With ``create``, a ledger and a log that are missing are made, without a key: they can be
        signed after :meth:`init`.  Raises :class:`LedgerError` ``ledger_unavailable``,
        ``ledger_not_found``, ``ledger_not_a_log``, ``ledger_tenant_unknown``,
        ``ledger_tenant_invalid``, ``ledger_key_mismatch``, ``ledger_corrupt``.
        """
        check_tenant(tenant)
        database = open_database(url, create=create)
        try:
            if create:
                make_log(database, tenant)
            return cls(database, tenant, signer, clock, check)
        except BaseException:
            database.close()
            raise

    @classmethod
    def init(
        cls,
        url: str | Path,
        signer: Signs,
        *,
        tenant: str = DEFAULT_TENANT,
        origin: str | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> Ledger:
        """The log of a tenant, made if it is missing, with its key and a first checkpoint.

        Raises what :meth:`open` raises, ``ledger_exists`` (the log has a key already),
        ``ledger_origin_invalid`` and ``ledger_origin_taken``.
        """
        check_tenant(tenant)
        database = open_database(url, create=True)
        try:
            make_log(database, tenant)
            name_log(database, tenant, origin, signer)
            ledger = cls(database, tenant, signer, clock)
            ledger.sign()
            return ledger
        except BaseException:
            database.close()
            raise

    def close(self) -> None:
        """Close the connection."""
        self._database.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __len__(self) -> int:
        """The number of entries."""
        return self.rows.state().frontier.size

    # --- appending --------------------------------------------------------------------------

    def append(
        self,
        record: bytes,
        *,
        id: str | None = None,
        kind: str = "record",
        private: Mapping[str, bytes] | None = None,
    ) -> Entry:
        """Append one record; the errors are those of :meth:`append_all`."""
        return self.append_all([Item(record, id, kind, private or {})])[0]

    def append_decisions(self, decisions: Sequence[Decision]) -> list[Entry]:
        """Append decision records, all or none; the errors are those of :meth:`append_all`."""
        return self.append_all(
            [
                Item(d.canonical, d.decision_id, DECISION, about_ns=parse_time(d.time))
                for d in decisions
            ]
        )

    def append_all(
        self, items: Sequence[Item], *, allow_clock_backwards: bool = False
    ) -> list[Entry]:
        """Append records in one transaction; when this returns, they are on disk.

        Raises :class:`LedgerError`, and then nothing was appended: ``ledger_unavailable``,
        ``ledger_busy``, ``ledger_write_failed``, ``ledger_corrupt``, ``ledger_duplicate``,
        ``ledger_clock_backwards``, ``entry_invalid``.  Only when the connection to a server
        breaks during the very last step may they be there in spite of the error; appending them
        again is then ``ledger_duplicate``.
        """
        if not items:
            return []
        if any(item.kind == ERASURE for item in items):
            raise LedgerError("entry_invalid", f"entries of the kind {ERASURE} are made by erasing")
        with self._database.writing():
            return self._append(self.rows.state(lock=True), items, allow_clock_backwards)

    def _append(
        self, state: State, items: Sequence[Item], allow_clock_backwards: bool = False
    ) -> list[Entry]:
        """Append and sign, within a transaction that holds the row of the log."""
        if self._signer is not None:
            self._check_signed(self.rows.latest(), state.frontier)
        now_ns = self._clock()
        now_us = now_ns // 1000
        if now_us < state.time_us - CLOCK_TOLERANCE_US and not allow_clock_backwards:
            raise LedgerError(
                "ledger_clock_backwards",
                f"the clock says {show_time(now_us)}, and the last entry is of"
                f" {show_time(state.time_us)}",
                hint="set the clock; when the last entry was made by a clock that was ahead, make"
                " one with `adjudge ledger append --allow-clock-backwards`",
            )
        size = state.frontier.size
        made = [make_entry(size + n, item, now_ns) for n, item in enumerate(items)]
        entries = [entry for entry, _, _ in made]
        self._refuse_duplicates([entry.leaf.id for entry in entries])
        nodes = [
            node for entry in entries for node in state.frontier.push(leaf_hash(entry.leaf.data))
        ]
        private = [value for _, _, values in made for value in values]
        self.rows.insert([(entry, about) for entry, about, _ in made], nodes, private)
        state.time_us = now_us
        self.rows.advance(state)
        if self._signer is not None:
            self._sign(state.frontier, self._signer)
        return entries

    def _refuse_duplicates(self, ids: Sequence[str]) -> None:
        twice = [id for id, count in Counter(ids).items() if count > 1]
        twice += self.rows.known_ids(ids)
        if twice:
            raise LedgerError(
                "ledger_duplicate",
                f"{self.url}: the entry {min(twice)} is in the log already",
                hint="`adjudge ledger show` shows it",
            )

    # --- signing ----------------------------------------------------------------------------

    def sign(self) -> Note:
        """The signed checkpoint of the log as it is now, made unless there is one.

        Raises :class:`LedgerError` ``ledger_key_missing`` (opened without), ``ledger_corrupt``
        (the tree does not continue what was signed) and those of :meth:`append_all`.
        """
        if self._signer is None:
            raise LedgerError(
                "ledger_key_missing",
                f"{self.url}: nothing can be signed without the key of the log",
                hint="give --key FILE; `adjudge ledger init` makes a key for a log without one",
            )
        with self._database.writing():
            frontier = self.rows.state(lock=True).frontier
            before = self.rows.latest()
            self._check_signed(before, frontier)
            if before is not None and before[0] == frontier.size:
                return before[1]
            return self._sign(frontier, self._signer)

    def _sign(self, frontier: Frontier, signer: Signs) -> Note:
        """Sign a tree that was checked: a log never signs two histories."""
        note = Checkpoint(self.origin, frontier.size, frontier.root()).sign(signer)
        self.rows.add_checkpoint(frontier.size, note)
        return note

    def _check(self) -> None:
        """What can be checked of the newest parts in a few reads; the rest is for an audit."""
        # In this order, because others may append meanwhile.
        before = self.rows.latest()
        state = self.rows.state()
        if self.rows.highest() + 1 < state.frontier.size:
            raise corrupt(self._database, "entries at its end are missing")
        self._check_signed(before, state.frontier)

    def _check_signed(self, before: tuple[int, Note] | None, frontier: Frontier) -> None:
        """Refuse a tree that is not a continuation of the signed one, by its stored nodes."""
        if before is None:
            return
        size, note = before
        signed = Checkpoint.parse(note.text)
        if size > frontier.size:
            raise corrupt(self._database, f"it had {size} entries when it was signed")
        if frontier.size == size:
            same = frontier.root() == signed.root
        else:
            places = cover(0, frontier.size)
            stored = self.rows.nodes(places)
            same = root_at(size, self.rows.nodes) == signed.root
            same = same and [stored[place] for place in places] == frontier.hashes
        if not same or (signed.size, signed.origin) != (size, self.origin):
            raise corrupt(self._database, "its tree is not the one that was signed")

    def add_cosignatures(self, data: bytes, witnesses: Sequence[VerifierKey]) -> list[str]:
        """Keep the cosignatures of known witnesses in a cosigned checkpoint; who signed.

        Raises :class:`~adjudge.ledger.errors.ProofError` when they do not verify, and
        :class:`LedgerError` ``checkpoint_unknown`` when the checkpoint is not one of this log.
        """
        note = parse_note(data)
        signed = [(k, s) for k, s in verified_by(note, witnesses) if k.kind == WITNESS]
        size = Checkpoint.parse(note.text).size
        with self._database.writing():
            ours = self.rows.checkpoints(size, size + 1)
            if not ours or parse_note(ours[0][1]).text != note.text:
                raise LedgerError(
                    "checkpoint_unknown", "the cosigned checkpoint is not one of this log"
                )
            have = {(s.name, s.key_id) for s in self.rows.cosigned(*ours[0]).signatures}
            for _, line in signed:
                if (line.name, line.key_id) not in have:
                    self.rows.add_cosignature(size, line)
        return [key.name for key, _ in signed]

    # --- reading and proving ----------------------------------------------------------------

    def entry(self, ref: str | int) -> Entry:
        """An entry by its id or its index.

        Raises :class:`LedgerError` ``entry_not_found``, ``ledger_corrupt``.
        """
        index = self._index(ref)
        for stored in self.rows.stored(index, index + 1):
            entry = self.rows.entry(stored)
            self._check_record(entry)
            return entry
        raise corrupt(self._database, f"entry {index} is missing")

    def _index(self, ref: str | int) -> int:
        index = self.rows.index_of(ref) if isinstance(ref, str) else ref
        if index is None and isinstance(ref, str) and ref.isascii() and ref.isdigit():
            index = int(ref[:20])
        if index is None or not 0 <= index < self.rows.state().frontier.size:
            raise LedgerError(
                "entry_not_found",
                f"{self.url}: the log of the tenant {self.tenant} has no entry {str(ref)[:128]}",
                hint="give an id or an index; `adjudge ledger list` lists them",
            )
        return index

    def _check_record(self, entry: Entry) -> None:
        if entry.record is not None and sha256_hex(entry.record) != entry.leaf.record:
            raise corrupt(self._database, f"entry {entry.index} is not the record that was logged")

    def entries(
        self, start: int = 0, stop: int | None = None, kind: str | None = None
    ) -> Iterator[Entry]:
        """Entries by index, from ``start`` to before ``stop``; errors as :meth:`entry`."""
        end = len(self) if stop is None else min(stop, len(self))
        for stored in self.rows.stored(start, end, kind=kind):
            entry = self.rows.entry(stored)
            self._check_record(entry)
            yield entry

    def decisions(
        self, since_ns: int | None = None, until_ns: int | None = None
    ) -> Iterator[LoggedDecision]:
        """The decisions with ``since_ns <= time < until_ns``, in log order; erased ones are not
        among them.  Raises :class:`LedgerError` ``ledger_corrupt`` at what was changed."""
        about = (
            -MAX_NS if since_ns is None else since_ns,
            MAX_NS if until_ns is None else until_ns,
        )
        for stored in self.rows.stored(0, len(self), about, DECISION):
            entry = self.rows.entry(stored)
            self._check_record(entry)
            if entry.record is not None:
                yield LoggedDecision(entry.index, Decision.from_json(entry.record))

    def private(self, ref: str | int) -> dict[str, bytes]:
        """The private values of an entry that are not erased; errors as :meth:`entry`."""
        entry = self.entry(ref)
        values = self.rows.private(entry.index, entry.index + 1)
        for v in values:
            if commitment(v.name, v.salt, v.value) != entry.leaf.private.get(v.name):
                raise corrupt(
                    self._database, f"the private value {v.name} of entry {entry.index} is another"
                )
        return {v.name: v.value for v in values}

    def checkpoint(self) -> Note:
        """The newest checkpoint, with its cosignatures.

        Raises :class:`LedgerError` ``checkpoint_missing``.
        """
        found = self.rows.latest()
        if found is None:
            raise LedgerError(
                "checkpoint_missing",
                f"{self.url}: the log of the tenant {self.tenant} was never signed",
                hint="`adjudge ledger init` gives it a key, `adjudge ledger checkpoint` signs it",
            )
        return found[1]

    def prove(self, ref: str | int) -> Receipt:
        """The receipt for an entry, against the newest checkpoint; one is signed if the entry is
        younger and the log was opened with its key.

        Raises :class:`LedgerError` ``entry_not_found``, ``checkpoint_missing``,
        ``ledger_corrupt``.
        """
        entry = self.entry(ref)
        found = self.rows.latest()
        if self._signer is not None and (found is None or found[0] <= entry.index):
            note = self.sign()
        else:
            note = self.checkpoint()
        head = Checkpoint.parse(note.text)
        if head.size <= entry.index:
            raise LedgerError(
                "checkpoint_missing",
                f"entry {entry.index} was appended after the log was signed"
                f" (at {head.size} entries)",
                hint="sign it with `adjudge ledger checkpoint --key FILE`",
            )
        path = inclusion_proof(entry.index, head.size, self.rows.nodes)
        try:
            verify_inclusion(entry.index, head.size, leaf_hash(entry.leaf.data), path, head.root)
        except LedgerError:
            raise corrupt(self._database, f"entry {entry.index} is not the one signed") from None
        return Receipt(entry.index, entry.leaf, tuple(path), note)

    def prove_consistency(self, old: int) -> Consistency:
        """That the log of ``old`` entries became the one of the newest checkpoint.

        Raises :class:`LedgerError` ``checkpoint_shrank`` (there are not so many entries),
        ``checkpoint_missing``, ``ledger_corrupt``.
        """
        note = self.checkpoint()
        size = Checkpoint.parse(note.text).size
        if not 0 <= old <= size:
            raise LedgerError(
                "checkpoint_shrank",
                f"{self.url}: the newest checkpoint has {size} entries, not {old} or more",
            )
        return Consistency(old, tuple(consistency_proof(old, size, self.rows.nodes)), note)

    # --- erasing ----------------------------------------------------------------------------

    def erase(
        self,
        ref: str | int,
        *,
        names: Sequence[str] | None = None,
        record: bool = False,
        reason: str = "",
    ) -> Entry:
        """Erase private values of an entry (None: all), and its record if that is asked for.

        The tree is not touched: leaf and proofs stay.  The entry that records the erasure is
        returned.  Raises :class:`LedgerError` ``entry_not_found``, ``nothing_to_erase`` and those
        of :meth:`append_all`.
        """
        with self._database.writing():
            state = self.rows.state(lock=True)
            entry = self.entry(ref)
            have = [v.name for v in self.rows.private(entry.index, entry.index + 1)]
            chosen = sorted(set(have if names is None else names))
            gone = [name for name in chosen if name not in have]
            if gone or (record and entry.record is None) or not (chosen or record):
                what = ", ".join(gone) or ("record" if record else "private values")
                raise LedgerError(
                    "nothing_to_erase",
                    f"entry {entry.index} has no {what} to erase, or no longer",
                    hint="`adjudge ledger show` shows what an entry has",
                )
            about = {
                "schema": ERASURE_SCHEMA,
                "entry": entry.index,
                "id": entry.leaf.id,
                "private": chosen,
                "record": record,
                "reason": reason,
            }
            made = self._append(state, [Item(canonical_bytes(about), kind=ERASURE)])
            self.rows.erase(entry.index, chosen, record=record)
        self._database.scrub()
        return made[0]
