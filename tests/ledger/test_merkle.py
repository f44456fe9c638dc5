"""The tree against the vectors of Certificate Transparency, and RFC 6962 word for word."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.ledger.errors import ProofError
from adjudge.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    Node,
    consistency_proof,
    cover,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_at,
    verify_consistency,
    verify_inclusion,
)

# The leaves, and the roots of the first n of them, that implementations of Certificate Transparency
# share as test vectors.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# (index, size, audit path) and (old size, new size, proof) over the same leaves.
PATHS = [
    (0, 1, ""),
    (
        0,
        8,
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (
        5,
        8,
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
    (
        1,
        5,
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
]
CONSISTENCIES = [
    (1, 1, ""),
    (
        1,
        8,
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (
        6,
        8,
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (
        2,
        5,
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
]


class Tree:
    """The tree as the ledger stores it, in memory."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.frontier = Frontier()
        self.nodes: dict[Node, bytes] = {}
        for leaf in leaves:
            self.nodes.update(self.frontier.push(leaf_hash(leaf)))
        self.reads = 0

    def read(self, wanted: Sequence[Node]) -> Mapping[Node, bytes]:
        self.reads += len(wanted)
        return {node: self.nodes[node] for node in wanted}


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    n = len(leaves)
    if n == 0:
        return hashlib.sha256().digest()
    if n == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < n:
        k *= 2
    return hashlib.sha256(b"\1" + naive_root(leaves[:k]) + naive_root(leaves[k:])).digest()


def naive_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 6962, section 2.1.1."""
    n = len(leaves)
    if n == 1:
        return []
    k = 1
    while k * 2 < n:
        k *= 2
    if m < k:
        return [*naive_path(m, leaves[:k]), naive_root(leaves[k:])]
    return [*naive_path(m - k, leaves[k:]), naive_root(leaves[:k])]


def naive_proof(m: int, leaves: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962, section 2.1.2."""
    n = len(leaves)
    if m == n:
        return [] if whole else [naive_root(leaves)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*naive_proof(m, leaves[:k], whole), naive_root(leaves[k:])]
    return [*naive_proof(m - k, leaves[k:], False), naive_root(leaves[:k])]


def split(text: str) -> list[bytes]:
    data = bytes.fromhex(text)
    return [data[n : n + 32] for n in range(0, len(data), 32)]


def test_the_known_roots() -> None:
    tree = Tree([])
    assert tree.frontier.root() == root_at(0, tree.read) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    for size in range(1, 9):
        assert Tree(LEAVES[:size]).frontier.root().hex() == ROOTS[size - 1]
        assert root_at(size, Tree(LEAVES).read).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("index", "size", "path"), PATHS)
def test_the_known_audit_paths(index: int, size: int, path: str) -> None:
    assert inclusion_proof(index, size, Tree(LEAVES).read) == split(path)
    leaf = leaf_hash(LEAVES[index])
    verify_inclusion(index, size, leaf, split(path), bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "new", "proof"), CONSISTENCIES)
def test_the_known_consistency_proofs(old: int, new: int, proof: str) -> None:
    assert consistency_proof(old, new, Tree(LEAVES).read) == split(proof)
    roots = [bytes.fromhex(ROOTS[n - 1]) for n in (old, new)]
    verify_consistency(old, new, roots[0], roots[1], split(proof))


def test_every_proof_of_small_trees() -> None:
    leaves = [b"%d" % n for n in range(40)]
    tree = Tree(leaves)
    roots = [naive_root(leaves[:n]) for n in range(41)]
    for size in range(1, 41):
        assert root_at(size, tree.read) == roots[size]
        for index in range(size):
            path = inclusion_proof(index, size, tree.read)
            assert path == naive_path(index, leaves[:size])
            verify_inclusion(index, size, leaf_hash(leaves[index]), path, roots[size])
            for other in {0, index - 1, index + 1, size - 1} - {index, -1}:
                with pytest.raises(ProofError):
                    verify_inclusion(other, size, leaf_hash(leaves[index]), path, roots[size])
        for old in range(size + 1):
            proof = consistency_proof(old, size, tree.read)
            assert proof == (naive_proof(old, leaves[:size]) if old else [])
            verify_consistency(old, size, roots[old], roots[size], proof)


def test_a_proof_reads_few_nodes() -> None:
    tree = Tree([b"%d" % n for n in range(5000)])
    for index in (0, 1, 4095, 4096, 4999):
        tree.reads = 0
        assert len(inclusion_proof(index, 5000, tree.read)) <= 13
        assert tree.reads <= 26


@given(st.integers(1, 300), st.integers(0, 299), st.data(), st.integers(0, 255), st.integers(0, 31))
@settings(max_examples=150, deadline=None)
def test_no_changed_proof_verifies(
    size: int, index: int, data: st.DataObject, bits: int, place: int
) -> None:
    index %= size
    tree = Tree([b"%d" % n for n in range(size)])
    path, root = inclusion_proof(index, size, tree.read), tree.frontier.root()
    leaf = leaf_hash(b"%d" % index)
    changed = list(path)
    kind = data.draw(st.sampled_from(["byte", "drop", "double", "swap", "more", "size"]))
    if kind == "byte" and path and bits:
        n = data.draw(st.integers(0, len(path) - 1))
        step = bytearray(path[n])
        step[place] ^= bits
        changed[n] = bytes(step)
    elif kind == "drop" and path:
        changed.pop(data.draw(st.integers(0, len(path) - 1)))
    elif kind == "double" and path:
        n = data.draw(st.integers(0, len(path) - 1))
        changed.insert(n, changed[n])
    elif kind == "swap" and len(path) > 1:
        changed[0], changed[-1] = changed[-1], changed[0]
    elif kind == "more":
        changed.append(bytes(32))
    elif kind == "size":
        size += 1
        root = Tree([b"%d" % n for n in range(size)]).frontier.root()
    if changed != path or kind == "size":
        with pytest.raises(ProofError):
            verify_inclusion(index, size, leaf, changed, root)


@given(st.integers(1, 200), st.integers(1, 200), st.data())
@settings(max_examples=150, deadline=None)
def test_no_changed_consistency_proof_verifies(one: int, two: int, data: st.DataObject) -> None:
    old, new = sorted((one, two))
    tree = Tree([b"%d" % n for n in range(new)])
    roots = root_at(old, tree.read), tree.frontier.root()
    proof = consistency_proof(old, new, tree.read)
    changed = list(proof)
    kind = data.draw(st.sampled_from(["byte", "drop", "more", "root", "shrink"]))
    if kind == "byte" and proof:
        n = data.draw(st.integers(0, len(proof) - 1))
        changed[n] = bytes([changed[n][0] ^ 1]) + changed[n][1:]
    elif kind == "drop" and proof:
        changed.pop(data.draw(st.integers(0, len(proof) - 1)))
    elif kind == "more":
        changed.append(bytes(32))
    elif kind == "root":
        roots = bytes(32), roots[1]
    elif kind == "shrink" and old != new:
        with pytest.raises(ProofError) as e:
            verify_consistency(new, old, roots[1], roots[0], proof)
        assert e.value.code == "checkpoint_shrank"
        return
    if changed != proof or kind == "root":
        with pytest.raises(ProofError) as e:
            verify_consistency(old, new, roots[0], roots[1], changed)
        assert e.value.code == "checkpoint_inconsistent"


def test_an_empty_tree_is_the_beginning_of_every_tree() -> None:
    root = Tree([b"1"]).frontier.root()
    verify_consistency(0, 1, EMPTY_ROOT, root, [])
    for old_root, proof in ((bytes(32), []), (EMPTY_ROOT, [bytes(32)])):
        with pytest.raises(ProofError):
            verify_consistency(0, 1, old_root, root, proof)


def test_frontiers() -> None:
    tree = Tree([b"%d" % n for n in range(7)])
    again = Frontier.from_bytes(7, tree.frontier.to_bytes())
    assert again.root() == tree.frontier.root() == naive_root([b"%d" % n for n in range(7)])
    for size, data in ((6, bytes(96)), (7, bytes(95)), (-1, b""), (0, bytes(32))):
        with pytest.raises(ValueError, match="frontier"):
            Frontier.from_bytes(size, data)
    assert cover(8, 13) == [Node(2, 2), Node(0, 12)]
    assert node_hash(b"a", b"b") == hashlib.sha256(b"\1ab").digest()
