"""What commands share that write decisions to a ledger, or read them there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.decision.model import Decision


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
