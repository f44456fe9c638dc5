"""What commands share that write decisions to a ledger, or read them there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from adjudge.errors import InputError, UsageError

if TYPE_CHECKING:
    from adjudge.decision.model import Decision
    from adjudge.ledger import Item


def check_required(url: str | None, require: bool) -> None:
    """Raises UsageError ``ledger_missing`` when a ledger is required and none is named."""
    if require and url is None:
        raise UsageError(
            "ledger_missing", "--require-log needs a ledger", hint="name it with --ledger"
        )


def logged(decision: Decision, url: str, tenant: str, require: bool) -> Decision:
    """The decision, after it was written to a ledger.

    When that fails and the ledger is required, a denial for that reason.  Raises
    :class:`~adjudge.ledger.LedgerError` when it fails and the ledger is not required.
    """
    from adjudge.decision.assemble import overruled
    from adjudge.decision.model import Degradation
    from adjudge.decision.outcome import Outcome, ReasonCode
    from adjudge.ledger import Ledger, LedgerError

    try:
        with Ledger.open(url, tenant=tenant, create=True) as ledger:
            ledger.append_decisions([decision])
    except LedgerError as error:
        if not require:
            raise
        deny = Outcome("deny", (ReasonCode.LEDGER_UNAVAILABLE,))
        return overruled(decision, deny, Degradation(code=error.code, message=error.message))
    return decision


def read_item(file: str, id: str | None, kind: str, private: Mapping[str, bytes]) -> Item:
    """What to append for a file (``-`` is standard input): a decision record in its canonical
    form, anything else as it is.

    Raises InputError ``file_unreadable``, ``file_too_large``, ``decision_digest_mismatch``.
    """
    from adjudge.cli.records import MAX_BYTES, read_bytes
    from adjudge.decision.model import Decision
    from adjudge.decision.times import parse_time
    from adjudge.ledger import Item

    data = sys.stdin.buffer.read(MAX_BYTES) if file == "-" else read_bytes(Path(file))
    if kind in ("record", "decision"):
        try:
            made = Decision.from_json(data)
            about = parse_time(made.time)
            return Item(made.canonical, id or made.decision_id, "decision", private, about)
        except InputError as error:
            if kind == "decision" or error.code != "decision_invalid":
                raise
    return Item(data, id, kind, private)
