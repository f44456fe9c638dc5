"""Where decisions are kept: an append-only log in SQLite."""

from adjudge.ledger.log import DecisionLog, LoggedDecision

__all__ = ["DecisionLog", "LoggedDecision"]
