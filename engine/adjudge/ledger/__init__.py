"""Where decisions are kept: an append-only, signed log in SQLite or PostgreSQL, and its proofs."""

from adjudge.ledger.checkpoint import Checkpoint, verify_checkpoint
from adjudge.ledger.errors import LedgerError, ProofError
from adjudge.ledger.items import Item, LoggedDecision
from adjudge.ledger.keys import SigningKey, read_verifier_key
from adjudge.ledger.log import Ledger
from adjudge.ledger.note import VerifierKey
from adjudge.ledger.proof import Consistency, Receipt
from adjudge.ledger.rows import Entry

__all__ = [
    "Checkpoint",
    "Consistency",
    "Entry",
    "Item",
    "Ledger",
    "LedgerError",
    "LoggedDecision",
    "ProofError",
    "Receipt",
    "SigningKey",
    "VerifierKey",
    "read_verifier_key",
    "verify_checkpoint",
]
