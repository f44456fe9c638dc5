"""Leaves: canonical, strict, and silent about private values."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from adjudge.canonical import canonical_bytes
from adjudge.ledger import ProofError
from adjudge.ledger.leaf import Leaf, commitment

GOOD = {
    "schema": "adjudge.ledger-leaf/v1",
    "kind": "decision",
    "id": "a-1",
    "time": "2026-11-21T13:48:07.088593Z",
    "record": "ab" * 32,
    "private": {"name": "cd" * 32, "Mail.2": "ef" * 32},
}


def test_a_leaf_is_canonical_json_and_comes_back() -> None:
    leaf = Leaf.parse(canonical_bytes(GOOD))
    assert leaf.data == canonical_bytes(GOOD) == canonical_bytes(json.loads(leaf.data))
    assert leaf == Leaf("decision", "a-1", str(GOOD["time"]), "ab" * 32, leaf.private)


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "adjudge.ledger-leaf/v2"},
        {"kind": "Decision"},
        {"kind": 1},
        {"id": ""},
        {"id": "a\n"},
        {"id": "a" * 129},
        {"time": "2026-11-21T13:48:07Z"},
        {"time": "2026-11-21T13:48:07.088593+00:00"},
        {"record": "AB" * 32},
        {"record": "ab"},
        {"record": None},
        {"private": None},
        {"private": {"a b": "cd" * 32}},
        {"private": {"a": "cd"}},
        {"private": {"a": 1}},
        {"private": {f"v{n}": "cd" * 32 for n in range(65)}},
        {"more": 1},
    ],
)
def test_leaves_that_are_none(change: dict[str, object]) -> None:
    with pytest.raises(ProofError) as e:
        Leaf.parse(canonical_bytes({**GOOD, **change}))
    assert e.value.code == "leaf_malformed"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 60_000,
        b" " * 70_000,
        json.dumps(GOOD).encode(),
        canonical_bytes(GOOD) + b"\n",
        canonical_bytes(GOOD).replace(b'"kind":"decision"', b'"kind":"x","kind":"decision"'),
        canonical_bytes(GOOD).replace(b"a-1", b"\\u0061-1"),
    ],
)
def test_bytes_that_are_no_leaf(data: bytes) -> None:
    with pytest.raises(ProofError) as e:
        Leaf.parse(data)
    assert e.value.code == "leaf_malformed"


def test_a_commitment_binds_name_value_and_salt() -> None:
    salt = bytes(range(32))
    wanted = hmac.new(salt, b"adjudge.ledger-private/v1\nn\nvalue", hashlib.sha256).hexdigest()
    assert commitment("n", salt, b"value") == wanted
    others = [("n", salt, b"v"), ("m", salt, b"v"), ("n", salt, b"w"), ("n", bytes(32), b"v")]
    assert len({commitment(*other) for other in others}) == 4
