"""Leaves in; roots, inclusion and consistency proofs of an RFC 6962 Merkle tree out.

A tree of ``n`` leaves is made of complete subtrees, one for every bit of ``n``, the largest at
the left: its *frontier*.  Only complete subtrees are ever stored, because they never change.
A node is named by its level (0 for leaves) and its place on that level.  Reading a proof takes
at most two nodes for each level of the tree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from adjudge.ledger.errors import ProofError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
MAX_LEVELS: Final = 62
"""More levels than a tree of 64-bit size, which no store can hold, would need."""


class Node(NamedTuple):
    """The place of a complete subtree."""

    level: int
    place: int


Read = Callable[[Sequence[Node]], Mapping[Node, bytes]]
"""Gives the hashes of stored nodes."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees of a tree of ``size`` leaves, largest first.

    Raises ``ValueError`` when the number of hashes is not the one of the size.
    """

    def __init__(self, size: int = 0, hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)
        if size < 0 or len(self.hashes) != size.bit_count():
            raise ValueError("the frontier is not one of a tree of this size")

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> Frontier:
        """The frontier from its hashes, joined; ``ValueError`` as the constructor."""
        if len(data) % HASH_SIZE:
            raise ValueError("the frontier is cut")
        cut = (data[n : n + HASH_SIZE] for n in range(0, len(data), HASH_SIZE))
        return cls(size, cut)

    def to_bytes(self) -> bytes:
        """The hashes, joined."""
        return b"".join(self.hashes)

    def push(self, leaf: bytes) -> list[tuple[Node, bytes]]:
        """Add a leaf by its hash; the nodes that it completes, from the leaf itself upwards."""
        level, index, value = 0, self.size, leaf
        made = [(Node(0, index), value)]
        while index & 1:
            value = node_hash(self.hashes.pop(), value)
            level, index = level + 1, index >> 1
            made.append((Node(level, index), value))
        self.hashes.append(value)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.hashes) if self.hashes else EMPTY_ROOT


def fold(hashes: Sequence[bytes]) -> bytes:
    """The root over adjoining complete subtrees, largest first; there is at least one."""
    value = hashes[-1]
    for left in reversed(hashes[:-1]):
        value = node_hash(left, value)
    return value


def cover(start: int, stop: int) -> list[Node]:
    """The complete subtrees that make up the leaves from ``start`` to before ``stop``, largest
    first.  ``start`` is where a subtree of that size can begin."""
    nodes = []
    while start < stop:
        level = (stop - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def root_at(size: int, read: Read) -> bytes:
    """The root of the tree when it had ``size`` leaves."""
    return _ranges([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: Read) -> list[bytes]:
    """The audit path of a leaf in the tree of ``size`` leaves (RFC 6962, section 2.1.1).

    ``0 <= index < size``.
    """
    ranges = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start = middle
    return _ranges(ranges[::-1], read)


def consistency_proof(old: int, new: int, read: Read) -> list[bytes]:
    """The proof that the tree of ``old`` leaves is the beginning of the one of ``new`` leaves
    (RFC 6962, section 2.1.2).  ``0 <= old <= new``."""
    if old in (0, new):
        return []
    ranges = []
    start, stop, whole = 0, new, True
    while old != stop:
        middle = start + _split(stop - start)
        if old <= middle:
            ranges.append((middle, stop))
            stop = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, stop))
    return _ranges(ranges[::-1], read)


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> None:
    """Check an audit path for a leaf hash (RFC 9162, section 2.1.3.2).

    Raises :class:`ProofError` ``proof_invalid``.
    """
    if not 0 <= index < size:
        raise ProofError("proof_invalid", f"there is no entry {index} in a tree of {size} entries")
    fn, sn, value = index, size - 1, leaf
    for step in proof:
        if sn == 0:
            raise ProofError("proof_invalid", "the proof is longer than the tree is high")
        if fn & 1 or fn == sn:
            value = node_hash(step, value)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = node_hash(value, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or value != root:
        raise ProofError(
            "proof_invalid",
            "the proof does not lead from this entry to the root of the checkpoint",
            hint="it is the proof of another entry or of another tree, or it was changed",
        )


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that a tree is the beginning of another (RFC 9162, section 2.1.4.2).

    Raises :class:`ProofError` ``checkpoint_shrank``, ``checkpoint_inconsistent``.
    """
    if old > new:
        raise ProofError(
            "checkpoint_shrank",
            f"the log had {old} entries and now claims {new}: entries were removed",
        )
    if old in (0, new):
        if proof or (old == new and old_root != new_root) or (not old and old_root != EMPTY_ROOT):
            raise _inconsistent()
        return
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    if not steps:
        raise _inconsistent()
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if sn == 0:
            raise _inconsistent()
        if fn & 1 or fn == sn:
            before, after = node_hash(step, before), node_hash(step, after)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            after = node_hash(after, step)
        fn, sn = fn >> 1, sn >> 1
    if sn or before != old_root or after != new_root:
        raise _inconsistent()


def _inconsistent() -> ProofError:
    return ProofError(
        "checkpoint_inconsistent",
        "the newer checkpoint is not a continuation of the older one",
        hint="entries were changed or removed, or the checkpoints are of two histories",
    )


def _split(size: int) -> int:
    """The largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


def _ranges(ranges: Sequence[tuple[int, int]], read: Read) -> list[bytes]:
    """The roots over ranges of leaves, with one read for all of them."""
    covers = [cover(start, stop) for start, stop in ranges]
    stored = read([node for nodes in covers for node in nodes])
    return [fold([stored[node] for node in nodes]) for nodes in covers]
