"""What the ledger says when something is wrong; the codes are listed in the reference."""

from __future__ import annotations

from adjudge.errors import AdjudgeError


class LedgerError(AdjudgeError):
    """The ledger cannot be opened, read or written, or holds what it should not."""


class ProofError(LedgerError):
    """A note, checkpoint, proof or receipt does not verify, or is none."""
