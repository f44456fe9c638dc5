"""What somebody wants to append in, entries with leaves and salted private values out."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from adjudge.canonical import sha256_hex
from adjudge.decision.ids import uuid7
from adjudge.decision.model import Decision
from adjudge.ledger.errors import LedgerError
from adjudge.ledger.leaf import SALT_SIZE, Leaf, check_entry, commitment
from adjudge.ledger.rows import Entry, Private

MAX_NS: Final = 2**63 - 1
DECISION: Final = "decision"
ERASURE: Final = "erasure"
"""The kind of the entries that record erasures."""
ERASURE_SCHEMA: Final = "adjudge.erasure/v1"


@dataclass(frozen=True, slots=True)
class Item:
    """What to append: a record, as bytes, and values that can be erased later.

    ``about_ns`` is the time it is about, for queries (nanoseconds since 1970; None: now).
    """

    record: bytes
    id: str | None = None
    kind: str = "record"
    private: Mapping[str, bytes] = field(default_factory=dict)
    about_ns: int | None = None


@dataclass(frozen=True, slots=True)
class LoggedDecision:
    """A decision and its index in the log."""

    index: int
    decision: Decision


def make_entry(index: int, item: Item, now_ns: int) -> tuple[Entry, int, list[Private]]:
    """The entry of an item, the time it is about, and its private values.

    Raises :class:`LedgerError` ``entry_invalid``, ``ledger_write_failed`` (a time that no column
    holds).
    """
    id = uuid7(now_ns) if item.id is None else item.id
    check_entry(item.kind, id, item.record, item.private)
    about = now_ns if item.about_ns is None else item.about_ns
    if not -MAX_NS <= about <= MAX_NS:
        raise LedgerError(
            "ledger_write_failed",
            "the time of the record is beyond those that a ledger holds (1678 to 2262)",
        )
    values = [
        Private(index, name, secrets.token_bytes(SALT_SIZE), value)
        for name, value in sorted(item.private.items())
    ]
    leaf = Leaf(
        kind=item.kind,
        id=id,
        time=show_time(now_ns // 1000),
        record=sha256_hex(item.record),
        private={v.name: commitment(v.name, v.salt, v.value) for v in values},
    )
    return Entry(index, leaf, item.record), about, values


def show_time(time_us: int) -> str:
    """Microseconds since 1970 as RFC 3339 in UTC, always with six decimal places."""
    seconds, fraction = divmod(time_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{fraction:06d}Z"
