"""Proofs in, texts that can be kept and sent out, and back.

A receipt is a ``.tlog-proof`` (c2sp.org/tlog-proof@v1): index, audit path and checkpoint, with the
leaf in its ``extra`` line.  A consistency proof is the body of an ``add-checkpoint`` request
(c2sp.org/tlog-witness): the old size, the proof and the new checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adjudge.ledger.checkpoint import MAX_SIZE, NUMBER, Checkpoint, Verified, verify_checkpoint
from adjudge.ledger.errors import ProofError
from adjudge.ledger.leaf import Leaf
from adjudge.ledger.merkle import (
    HASH_SIZE,
    MAX_LEVELS,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from adjudge.ledger.note import MAX_NOTE, Note, VerifierKey, from_base64, parse_note, to_base64

MAGIC: Final = "c2sp.org/tlog-proof@v1"
MAX_PROOF: Final = 2 * MAX_NOTE
"""Bytes of a proof with its checkpoint."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """That an entry is in a log: its index, leaf, audit path and the checkpoint it leads to."""

    index: int
    leaf: Leaf
    path: tuple[bytes, ...]
    note: Note

    @property
    def text(self) -> str:
        """The ``.tlog-proof``."""
        lines = [
            MAGIC,
            f"extra {to_base64(self.leaf.data)}",
            f"index {self.index}",
            *map(to_base64, self.path),
        ]
        return "\n".join(lines) + f"\n\n{self.note}"

    @classmethod
    def parse(cls, data: bytes) -> Receipt:
        """The receipt in a file.

        Raises :class:`ProofError` ``proof_malformed``, ``proof_too_large``, ``leaf_malformed``
        and what :func:`~adjudge.ledger.note.parse_note` raises.
        """
        lines, note = _parts(data)
        if lines[:1] != [MAGIC]:
            raise _malformed(f"its first line is not {MAGIC}")
        if len(lines) < 3 or not lines[1].startswith("extra ") or lines[2][:6] != "index ":
            raise _malformed("its second line is not the leaf, or its third not the index")
        leaf = Leaf.parse(_decoded(lines[1][6:]))
        return cls(_number(lines[2][6:]), leaf, _hashes(lines[3:]), note)

    def verify(
        self, log: VerifierKey, *, witnesses: Sequence[VerifierKey] = (), quorum: int = 0
    ) -> Verified:
        """Check that the leaf is in the log that the key is of.

        Raises :class:`ProofError` ``proof_invalid`` and what
        :func:`~adjudge.ledger.checkpoint.verify_checkpoint` raises.
        """
        verified = verify_checkpoint(self.note, log, witnesses=witnesses, quorum=quorum)
        head = verified.checkpoint
        verify_inclusion(self.index, head.size, leaf_hash(self.leaf.data), self.path, head.root)
        return verified


@dataclass(frozen=True, slots=True)
class Consistency:
    """That a log of ``old`` entries became the one of the checkpoint in ``note``."""

    old: int
    path: tuple[bytes, ...]
    note: Note

    @property
    def text(self) -> str:
        """The body of an ``add-checkpoint`` request."""
        return (
            f"old {self.old}\n" + "".join(f"{to_base64(h)}\n" for h in self.path) + f"\n{self.note}"
        )

    @classmethod
    def parse(cls, data: bytes) -> Consistency:
        """The proof in a file; the errors are those of :meth:`Receipt.parse`."""
        lines, note = _parts(data)
        if not lines[0].startswith("old "):
            raise _malformed("its first line is not the old size")
        return cls(_number(lines[0][4:]), _hashes(lines[1:]), note)

    def verify(self, old: Checkpoint | None, log: VerifierKey) -> Verified:
        """Check that the newer checkpoint continues an older, verified one (None: there is none).

        Raises :class:`ProofError` ``proof_invalid`` (it starts from another size),
        ``checkpoint_shrank``, ``checkpoint_inconsistent`` and what
        :func:`~adjudge.ledger.checkpoint.verify_checkpoint` raises.
        """
        verified = verify_checkpoint(self.note, log)
        new = verified.checkpoint
        if old is None:
            return verified
        if new.size < old.size:
            verify_consistency(old.size, new.size, old.root, new.root, ())
        if old.size != self.old:
            raise ProofError(
                "proof_invalid",
                f"the proof starts from {self.old} entries, the known checkpoint from {old.size}",
                hint=f"ask the log for the proof from {old.size}",
            )
        verify_consistency(old.size, new.size, old.root, new.root, self.path)
        return verified


def _parts(data: bytes) -> tuple[list[str], Note]:
    if len(data) > MAX_PROOF:
        raise ProofError("proof_too_large", f"the proof is larger than {MAX_PROOF} bytes")
    head, separator, note = data.partition(b"\n\n")
    if not separator:
        raise _malformed("no empty line stands between it and the checkpoint")
    try:
        return head.decode("ascii").split("\n"), parse_note(note)
    except UnicodeDecodeError:
        raise _malformed("it is not ASCII") from None


def _number(text: str) -> int:
    if not NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise _malformed("a number is none")
    return int(text)


def _hashes(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > 2 * MAX_LEVELS:
        raise _malformed("it has more hashes than any tree has levels")
    hashes = tuple(map(_decoded, lines))
    if any(len(h) != HASH_SIZE for h in hashes):
        raise _malformed("a hash has not 32 bytes")
    return hashes


def _decoded(text: str) -> bytes:
    try:
        return from_base64(text)
    except ValueError as error:
        raise _malformed(str(error)) from None


def _malformed(why: str) -> ProofError:
    return ProofError("proof_malformed", f"this is no proof: {why}")
