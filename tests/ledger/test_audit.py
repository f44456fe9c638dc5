"""An audit of a whole log finds whatever was changed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.canonical import sha256_hex
from adjudge.ledger import Checkpoint, Item, Ledger, SigningKey, VerifierKey
from adjudge.ledger.audit import Audit, audit
from adjudge.ledger.merkle import Frontier, leaf_hash

Tamper = Callable[..., None]


@pytest.fixture
def full(ledger: Ledger) -> Ledger:
    """A log with entries, private values, an erasure and checkpoints."""
    ledger.append_all([Item(b"%d" % n, f"id-{n}", private={"p": b"%d" % n}) for n in range(5)])
    for n in range(5, 9):
        ledger.append(b"%d" % n, id=f"id-{n}")
    ledger.erase("id-1")
    ledger.erase("id-2", record=True)
    return ledger


def check(url: str, key: VerifierKey | None, **options: object) -> Audit:
    assert key is not None
    with Ledger.open(url, check=False) as log:
        return audit(log, key, **options)  # type: ignore[arg-type]


def test_a_log_in_order(url: str, full: Ledger) -> None:
    found = check(url, full.key)
    assert found.problems == found.warnings == []
    assert (found.size, found.signed, found.checkpoints) == (11, 11, 8)
    assert (found.erased_records, found.erased_values) == (1, 2)
    assert found.root == Checkpoint.parse(full.checkpoint().text).root


def test_many_pages(url: str, ledger: Ledger) -> None:
    ledger.append_all([Item(b"x", f"a{n}") for n in range(1203)])
    ledger.append(b"y")
    found = check(url, ledger.key)
    assert (found.ok, found.size, found.checkpoints) == (True, 1204, 3)


def test_an_empty_log(url: str, ledger: Ledger) -> None:
    found = check(url, ledger.key)
    assert (found.ok, found.size, found.checkpoints) == (True, 0, 1)


CHANGES = [
    ("update ledger_record set data = ? where idx = 3", (b"other",), "record_mismatch"),
    ("delete from ledger_record where idx = 3", (), "ledger_value_missing"),
    ("delete from ledger_private where idx = 3", (), "ledger_value_missing"),
    ("update ledger_private set value = ? where idx = 3", (b"x",), "commitment_mismatch"),
    ("update ledger_private set salt = ? where idx = 3", (b"x",), "commitment_mismatch"),
    ("update ledger_private set name = 'q' where idx = 3", (), "commitment_mismatch"),
    ("update ledger_entry set id = 'other' where idx = 3", (), "ledger_entry_changed"),
    ("update ledger_entry set kind = 'other' where idx = 3", (), "ledger_entry_changed"),
    ("update ledger_entry set leaf = ? where idx = 3", (b"{}",), "leaf_malformed"),
    ("delete from ledger_entry where idx = 3", (), "ledger_entry_missing"),
    ("delete from ledger_entry where idx = 10", (), "ledger_entry_missing"),
    ("update ledger_entry set idx = 20 where idx = 3", (), "ledger_entry_extra"),
    (
        "update ledger_node set hash = ? where level = 1 and idx = 2",
        (bytes(32),),
        "ledger_tree_changed",
    ),
    ("delete from ledger_node where level = 3", (), "ledger_tree_changed"),
    ("update ledger_node set level = 7 where level = 3", (), "ledger_tree_changed"),
    ("update ledger_log set frontier = ?", (bytes(96),), "ledger_tree_changed"),
    ("update ledger_log set size = 10", (), "ledger_corrupt"),
    ("update ledger_log set size = ?, frontier = ?", (2**60, bytes(32)), "ledger_entry_missing"),
    ("update ledger_log set time_us = ?", (2**62,), "ledger_corrupt"),
    ("update ledger_entry set idx = ? where idx = 3", (2**60,), "ledger_entry_extra"),
    ("update ledger_log set vkey = null", (), "ledger_key_mismatch"),
    ("update ledger_checkpoint set note = 'x' where size = 6", (), "note_malformed"),
    ("update ledger_checkpoint set size = 10000 where size = 6", (), "checkpoint_shrank"),
]


@pytest.mark.parametrize(("sql", "values", "code"), CHANGES)
def test_changes_are_found(
    url: str, full: Ledger, tamper: Tamper, sql: str, values: tuple[object, ...], code: str
) -> None:
    tamper(sql, *values)
    found = check(url, full.key)
    assert code in [p.code for p in found.problems]
    assert not found.ok
    assert all(len(p.message) > 10 for p in found.problems)


def test_entries_that_were_swapped(url: str, full: Ledger, tamper: Tamper) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        for table in ("entry", "record", "private"):
            tamper(f"update ledger_{table} set idx = {new} where idx = {old}")
    found = check(url, full.key)
    assert "checkpoint_inconsistent" in [p.code for p in found.problems]


def forge(full: Ledger, tamper: Tamper, keep: int) -> Frontier:
    """Rewrite history with hashes that fit: another record at 3, only ``keep`` entries."""
    leaves = [e.leaf for e in full.entries()][:keep]
    data = [leaf.data for leaf in leaves]
    data[3] = data[3].replace(leaves[3].record.encode(), sha256_hex(b"forged").encode())
    tamper("update ledger_record set data = ? where idx = 3", b"forged")
    tamper("update ledger_entry set leaf = ? where idx = 3", data[3])
    tamper(f"delete from ledger_entry where idx >= {keep}")
    tamper(f"delete from ledger_record where idx >= {keep}")
    tamper("delete from ledger_node")
    frontier = Frontier()
    for leaf in data:
        for node, value in frontier.push(leaf_hash(leaf)):
            if node.level:
                tamper("insert into ledger_node values (1, ?, ?, ?)", *node, value)
    tamper("update ledger_log set size = ?, frontier = ?", keep, frontier.to_bytes())
    return frontier


def test_a_history_rewritten_with_its_hashes(url: str, full: Ledger, tamper: Tamper) -> None:
    forge(full, tamper, 11)
    found = check(url, full.key)
    # What is in the tree fits together; what was signed does not.
    assert {p.code for p in found.problems} == {"checkpoint_inconsistent"}


def test_a_log_cut_with_its_checkpoints_is_told_by_a_kept_one(
    url: str, full: Ledger, tamper: Tamper
) -> None:
    kept = Checkpoint.parse(full.checkpoint().text)
    tamper("delete from ledger_checkpoint where size > 5")
    tamper("delete from ledger_private where idx >= 5")
    leaves = [leaf_hash(e.leaf.data) for e in full.entries()][:5]
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    tamper("delete from ledger_entry where idx >= 5")
    tamper("delete from ledger_record where idx >= 5")
    tamper("delete from ledger_node where idx >= 5 or (level = 1 and idx >= 2) or level > 2")
    tamper("delete from ledger_node where level = 2 and idx > 0")
    tamper("update ledger_log set size = 5, frontier = ?", frontier.to_bytes())
    alone = check(url, full.key)
    # The erasures went, too: values are missing that no erasure names.
    assert {p.code for p in alone.problems} == {"ledger_value_missing"}
    found = check(url, full.key, known=[kept])
    assert "checkpoint_shrank" in [p.code for p in found.problems]


def test_a_rewritten_log_signed_with_another_key(
    url: str, full: Ledger, tamper: Tamper, tmp_path: Path
) -> None:
    other = SigningKey.generate(tmp_path / "other.key")
    frontier = forge(full, tamper, 11)
    tamper("delete from ledger_checkpoint")
    tamper("update ledger_log set vkey = ?", str(VerifierKey(full.origin, other.public)))
    note = Checkpoint(full.origin, 11, frontier.root()).sign(other)
    tamper("insert into ledger_checkpoint values (1, 11, ?)", str(note))
    found = check(url, full.key)
    assert {p.code for p in found.problems} == {"ledger_key_mismatch", "note_untrusted"}


def test_what_was_erased_and_is_back(url: str, full: Ledger, tamper: Tamper) -> None:
    tamper("insert into ledger_record values (1, 2, ?)", b"2")
    assert [p.code for p in check(url, full.key).problems] == ["ledger_erasure_undone"]


def test_what_is_no_problem_and_should_be_known(url: str, full: Ledger) -> None:
    with Ledger.open(url, clock=lambda: 10**18) as unsigned:
        unsigned.append_all([Item(b"late")], allow_clock_backwards=True)
    found = check(url, full.key)
    assert found.ok
    assert [w.code for w in found.warnings] == ["ledger_clock_backwards", "ledger_not_signed"]
