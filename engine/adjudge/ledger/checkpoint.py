"""Tree sizes and roots in, signed checkpoints (C2SP tlog-checkpoint) out, and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adjudge.ledger.errors import ProofError
from adjudge.ledger.merkle import HASH_SIZE
from adjudge.ledger.note import (
    LOG,
    WITNESS,
    Note,
    Signs,
    VerifierKey,
    from_base64,
    parse_note,
    sign_note,
    to_base64,
    verified_by,
)

MAX_SIZE = 2**62
"""More entries than any log."""

NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
"""A decimal number without leading zeros."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log claims about its tree; ``extensions`` are further signed lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed."""
        lines = (self.origin, str(self.size), to_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)

    def sign(self, key: Signs) -> Note:
        """The checkpoint, signed by the log under the name of its origin."""
        return sign_note(self.text, self.origin, key)

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint in the text of a note.

        Raises :class:`ProofError` ``checkpoint_malformed``.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise _malformed("it has less than three lines, or an empty one")
        origin, size, root = lines[:3]
        if not NUMBER.fullmatch(size) or int(size) > MAX_SIZE:
            raise _malformed("its second line is no size")
        try:
            value = from_base64(root)
        except ValueError as error:
            raise _malformed(str(error)) from None
        if len(value) != HASH_SIZE:
            raise _malformed("its third line is no root")
        return cls(origin, int(size), value, tuple(lines[3:-1]))


@dataclass(frozen=True, slots=True)
class Verified:
    """A checkpoint that verified, its note, and who vouched for it: witness and time of each."""

    checkpoint: Checkpoint
    note: Note
    witnesses: tuple[tuple[str, int], ...] = ()


def verify_checkpoint(
    note: str | bytes | Note,
    log: VerifierKey,
    *,
    witnesses: Sequence[VerifierKey] = (),
    quorum: int = 0,
) -> Verified:
    """Check a checkpoint: its signature by the log's key, its origin, the known witnesses.

    Raises :class:`ProofError` ``note_malformed``, ``note_too_large``, ``note_untrusted``,
    ``note_signature_invalid``, ``checkpoint_malformed``, ``checkpoint_origin_mismatch``,
    ``witnesses_missing`` (fewer than ``quorum`` of the witnesses signed).
    """
    parsed = note if isinstance(note, Note) else parse_note(note)
    verified_by(parsed, [log])
    checkpoint = Checkpoint.parse(parsed.text)
    if checkpoint.origin != log.name:
        raise ProofError(
            "checkpoint_origin_mismatch",
            f"the checkpoint is of the log {checkpoint.origin[:80]!r}, not of {log.name[:80]!r}",
            hint="it is from another log or another tenant",
        )
    signed = verified_by(parsed, [log, *witnesses])
    seen = tuple((key.name, line.time) for key, line in signed if key.kind == WITNESS)
    # One witness is one key, under however many names.
    distinct = {key.public for key, _ in signed if key.kind == WITNESS}
    if len(distinct) < quorum:
        raise ProofError(
            "witnesses_missing",
            f"{len(distinct)} of the trusted witnesses signed, and {quorum} are asked for",
            hint="have it witnessed, or check which witness keys are given",
        )
    return Verified(checkpoint, parsed, seen)


def check_log_key(key: VerifierKey) -> VerifierKey:
    """The key, if it is one of a log.  Raises :class:`ProofError` ``key_invalid``."""
    if key.kind != LOG:
        raise ProofError("key_invalid", f"{key.name} is the key of a witness, not of a log")
    return key


def _malformed(why: str) -> ProofError:
    return ProofError("checkpoint_malformed", f"the note is no checkpoint: {why}")
