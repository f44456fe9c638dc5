"""The ledger in each kind of database: what goes in comes out, nothing changes, damage is told."""

from __future__ import annotations

import multiprocessing
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adjudge.canonical import sha256_hex
from adjudge.decision.model import Decision
from adjudge.ledger import Item, Ledger, LedgerError, SigningKey, VerifierKey
from adjudge.ledger.checkpoint import Checkpoint

Make = Callable[..., Decision]
Tamper = Callable[..., None]
SECOND = 1_000_000_000


def code(action: Callable[[], object]) -> str:
    """The code of the error that an action raises; it has a sentence."""
    with pytest.raises(LedgerError) as e:
        action()
    assert len(e.value.message) > 10
    return e.value.code


# --- what goes in comes out -----------------------------------------------------------------------


def test_decisions_come_back_as_they_went_in(url: str, decision: Make) -> None:
    made = [decision(n * SECOND) for n in range(1, 6)]
    with Ledger.open(url, create=True) as log:
        log.append_decisions(made[:2])
        log.append_decisions(made[2:])
        found = list(log.decisions())
    assert [f.index for f in found] == [0, 1, 2, 3, 4]
    assert [f.decision.digest for f in found] == [d.digest for d in made]


def test_a_period_includes_its_start_and_excludes_its_end(url: str, decision: Make) -> None:
    with Ledger.open(url, create=True) as log:
        log.append_decisions([decision(n * SECOND) for n in range(1, 6)])
        found = list(log.decisions(2 * SECOND, 4 * SECOND))
    assert [f.index for f in found] == [1, 2]


def test_more_entries_than_a_page(url: str) -> None:
    with Ledger.open(url, create=True) as log:
        log.append_all([Item(b"%d" % n, f"id-{n}") for n in range(1203)])
        assert [e.leaf.id for e in log.entries()] == [f"id-{n}" for n in range(1203)]
        assert [e.index for e in log.entries(498, 503)] == [498, 499, 500, 501, 502]
        assert len(log) == 1203


def test_an_entry_is_found_by_id_and_by_index(ledger: Ledger) -> None:
    made = ledger.append(b"\x00\xff record", id="a-1", kind="note")
    assert ledger.entry("a-1") == ledger.entry(0) == ledger.entry("0") == made
    assert made.leaf.record == sha256_hex(b"\x00\xff record")
    assert ledger.append(b"x").leaf.id != ledger.append(b"x").leaf.id
    for missing in ("a-2", 3, -1, "3", "-1", "9" * 40):
        assert code(lambda ref=missing: ledger.entry(ref)) == "entry_not_found"  # type: ignore[misc]


def test_a_ledger_is_reopened_where_it_was(url: str, key: SigningKey) -> None:
    with Ledger.init(url, key, origin="example.com/a") as log:
        log.append_all([Item(b"%d" % n) for n in range(7)])
        head = log.checkpoint()
    with Ledger.open(url, signer=key) as log:
        assert (len(log), log.origin) == (7, "example.com/a")
        assert log.checkpoint() == head
        log.append(b"8")
        assert Checkpoint.parse(log.checkpoint().text).size == 8


# --- refusals -------------------------------------------------------------------------------------


def test_the_same_id_cannot_be_logged_twice_and_the_batch_is_refused_whole(
    ledger: Ledger, decision: Make
) -> None:
    one, two = decision(SECOND), decision(2 * SECOND)
    ledger.append_decisions([one])
    for batch in ([two, one], [two, two]):
        assert code(lambda b=batch: ledger.append_decisions(b)) == "ledger_duplicate"  # type: ignore[misc]
        assert len(ledger) == 1
    ledger.append_decisions([two])


@pytest.mark.parametrize(
    "item",
    [
        Item(b"", "a b"),
        Item(b"", ""),
        Item(b"", "x" * 129),
        Item(b"", "é"),
        Item(b"", kind="Loud"),
        Item(b"", private={"": b""}),
        Item(b"", private={"a/b": b""}),
        Item(b"", private={"a": bytes(1024 * 1024 + 1)}),
        Item(b"", private={f"v{n}": b"" for n in range(65)}),
    ],
)
def test_what_cannot_be_an_entry(ledger: Ledger, item: Item) -> None:
    assert code(lambda: ledger.append_all([item])) == "entry_invalid"
    assert len(ledger) == 0


def test_times_that_no_column_holds(ledger: Ledger) -> None:
    items = [Item(b"", about_ns=2**63)]
    assert code(lambda: ledger.append_all(items)) == "ledger_write_failed"


def test_no_ledger_and_no_tenant(url: str) -> None:
    assert code(lambda: Ledger.open(url)) == "ledger_not_found"
    Ledger.open(url, create=True).close()
    assert code(lambda: Ledger.open(url, tenant="other")) == "ledger_tenant_unknown"
    for name in ("", "a b", "../x", "x" * 65):
        assert code(lambda n=name: Ledger.open(url, tenant=n)) == "ledger_tenant_invalid"  # type: ignore[misc]


def test_the_clock_may_be_behind_a_little_and_not_much(url: str) -> None:
    now = [1_800_000_000 * SECOND]
    with Ledger.open(url, create=True, clock=lambda: now[0]) as log:
        log.append(b"1")
        now[0] -= 299 * SECOND
        log.append(b"2")
        now[0] -= 301 * SECOND
        assert code(lambda: log.append(b"3")) == "ledger_clock_backwards"
        log.append_all([Item(b"3")], allow_clock_backwards=True)
        log.append(b"4")
        assert [e.leaf.time[:19] for e in log.entries(2)] == ["2027-01-15T07:50:00"] * 2


# --- keys -----------------------------------------------------------------------------------------


def test_a_log_without_a_key_gets_one_later(url: str, key: SigningKey) -> None:
    with Ledger.open(url, create=True) as log:
        log.append(b"before")
        assert log.origin.startswith("adjudge.local/default-")
        assert code(log.checkpoint) == "checkpoint_missing"
        assert code(lambda: log.prove(0)) == "checkpoint_missing"
        assert code(log.sign) == "ledger_key_missing"
    with Ledger.init(url, key) as log:
        assert log.key == VerifierKey(log.origin, key.public)
        log.prove(0).verify(log.key)
    assert code(lambda: Ledger.init(url, key)) == "ledger_exists"


def test_another_key_cannot_sign(url: str, ledger: Ledger, tmp_path: Path) -> None:
    other = SigningKey.generate(tmp_path / "other.key")
    assert code(lambda: Ledger.open(url, signer=other)) == "ledger_key_mismatch"


def test_origins_that_cannot_be(url: str, key: SigningKey) -> None:
    for origin in ("", "a b", "a+b", "a\nb", "a\u2003b"):
        assert (
            code(lambda o=origin: Ledger.init(url, key, origin=o))  # type: ignore[misc]
            == "ledger_origin_invalid"
        )
    Ledger.init(url, key, origin="example.com/x").close()
    again = code(lambda: Ledger.init(url, key, tenant="b", origin="example.com/x"))
    assert again == "ledger_origin_taken"


# --- tenants --------------------------------------------------------------------------------------


def test_tenants_see_nothing_of_each_other(url: str, key: SigningKey) -> None:
    with (
        Ledger.init(url, key, tenant="a", origin="example.com/a") as a,
        Ledger.init(url, key, tenant="b", origin="example.com/b") as b,
    ):
        a.append_all([Item(b"of a", "shared"), Item(b"more of a", "only-a", private={"p": b"s"})])
        b.append(b"of b", id="shared")
        assert (a.entry("shared").record, b.entry("shared").record) == (b"of a", b"of b")
        assert (len(a), len(b)) == (2, 1)
        assert [e.record for e in b.entries()] == [b"of b"]
        for action in (b.entry, b.prove, b.erase, b.private):
            assert code(lambda act=action: act("only-a")) == "entry_not_found"  # type: ignore[misc]
        assert a.key is not None
        assert b.key is not None
        a.prove("shared").verify(a.key)
        with pytest.raises(LedgerError) as e:
            a.prove("shared").verify(b.key)
        assert e.value.code == "note_untrusted"
        assert a.private("only-a") == {"p": b"s"}


# --- erasing --------------------------------------------------------------------------------------


def test_erasure_leaves_every_proof_valid(ledger: Ledger) -> None:
    private = {"email": b"somebody@example.com", "name": b"Somebody"}
    ledger.append(b"one", id="one", private=private)
    ledger.append(b"two", id="two")
    assert ledger.key is not None
    before = ledger.prove("one")
    assert ledger.private("one") == private
    erased = ledger.erase("one", names=["email"], reason="asked to")
    assert ledger.private("one") == {"name": b"Somebody"}
    assert erased.leaf.kind == "erasure"
    assert b'"reason":"asked to"' in (erased.record or b"")
    ledger.erase("one")
    assert ledger.private("one") == {}
    assert ledger.entry("one").leaf == before.leaf
    before.verify(ledger.key)
    for ref in ("one", "two", erased.index, erased.index + 1):
        ledger.prove(ref).verify(ledger.key)


def test_a_record_can_be_erased(ledger: Ledger, decision: Make) -> None:
    (entry,) = ledger.append_decisions([decision(SECOND)])
    ledger.erase(entry.index, record=True)
    assert ledger.entry(entry.leaf.id).record is None
    assert list(ledger.decisions()) == []
    assert ledger.key is not None
    ledger.prove(entry.leaf.id).verify(ledger.key)


def test_what_cannot_be_erased(ledger: Ledger) -> None:
    ledger.append(b"one", id="one", private={"a": b"1"})
    assert code(lambda: ledger.erase("one", names=["b"])) == "nothing_to_erase"
    assert code(lambda: ledger.erase("one", names=["a", "b"])) == "nothing_to_erase"
    assert ledger.private("one") == {"a": b"1"}
    ledger.erase("one", record=True)
    assert code(lambda: ledger.erase("one")) == "nothing_to_erase"
    assert code(lambda: ledger.erase("one", record=True)) == "nothing_to_erase"
    assert len(ledger) == 2


def test_erased_values_leave_no_trace_in_the_file(tmp_path: Path, key: SigningKey) -> None:
    path = tmp_path / "traces.db"
    secret = b"this-is-a-secret-that-must-go" * 40
    with Ledger.init(path, key) as log:
        log.append_all([Item(b"%d" % n, private={"s": secret}) for n in range(20)])
        for n in range(20):
            log.erase(n)
        files = list(tmp_path.glob("traces.db*"))
        assert not [f for f in files if secret[:29] in f.read_bytes()]


# --- changes from outside -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "update ledger_entry set id = 'x'",
        "delete from ledger_entry",
        "update ledger_node set idx = 9",
        "delete from ledger_node",
        "update ledger_checkpoint set note = ''",
        "delete from ledger_checkpoint",
        "update ledger_record set idx = 9",
        "update ledger_private set idx = 9",
        "delete from ledger_log",
    ],
)
def test_the_database_refuses_changes(url: str, ledger: Ledger, sql: str) -> None:
    ledger.append_all([Item(b"1", private={"a": b"b"}), Item(b"2")])
    if url.startswith("postgresql:"):
        import psycopg

        with psycopg.connect(url) as connection, pytest.raises(psycopg.Error, match="append-only"):
            connection.execute(sql.encode())
        return
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        sqlite3.connect(url).execute(sql)


def test_a_record_changed_from_outside_is_found(ledger: Ledger, tamper: Tamper) -> None:
    ledger.append(b"the truth", id="a")
    tamper("update ledger_record set data = ?", b"another")
    assert code(lambda: ledger.entry("a")) == "ledger_corrupt"
    assert code(lambda: ledger.prove("a")) == "ledger_corrupt"
    assert code(lambda: list(ledger.entries())) == "ledger_corrupt"


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("update ledger_log set size = 3", ()),
        ("update ledger_log set size = 4", ()),
        ("update ledger_log set frontier = ?", (bytes(64),)),
        ("update ledger_log set frontier = ?", (b"",)),
        ("delete from ledger_entry where idx = 6", ()),
        ("delete from ledger_node where level = 2", ()),
        ("update ledger_node set hash = ? where level = 2", (bytes(32),)),
        ("update ledger_checkpoint set note = 'nothing' where size = 6", ()),
    ],
)
def test_a_changed_tree_is_not_opened_nor_signed(
    url: str, key: SigningKey, ledger: Ledger, tamper: Tamper, sql: str, values: tuple[object, ...]
) -> None:
    ledger.append_all([Item(b"%d" % n) for n in range(4)])
    ledger.append_all([Item(b"%d" % n) for n in range(2)])
    unsigned = Ledger.open(url)
    unsigned.append(b"7")
    unsigned.close()
    tamper(sql, *values)
    assert code(lambda: Ledger.open(url, signer=key)) == "ledger_corrupt"
    assert code(lambda: ledger.append(b"8")) == "ledger_corrupt"


def test_private_values_changed_from_outside_are_found(ledger: Ledger, tamper: Tamper) -> None:
    ledger.append(b"", id="a", private={"v": b"1"})
    tamper("update ledger_private set value = ?", b"2")
    assert code(lambda: ledger.private("a")) == "ledger_corrupt"


# --- side by side ---------------------------------------------------------------------------------


def test_threads_and_connections_append_side_by_side(url: str) -> None:
    logs = [Ledger.open(url, create=True), Ledger.open(url, create=True)]

    def work(log: Ledger, name: str) -> None:
        for n in range(20):
            log.append(b"x", id=f"{name}-{n}")

    threads = [threading.Thread(target=work, args=(logs[n % 2], f"t{n}")) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(logs[0]) == 80
    assert len({e.leaf.id for e in logs[1].entries()}) == 80
    for log in logs:
        log.close()


def _write(url: str, keyfile: Path, name: str) -> None:
    with Ledger.open(url, create=True, signer=SigningKey.load(keyfile)) as log:
        for n in range(15):
            log.append_all([Item(b"x", f"{name}-{n}-{m}") for m in range(3)])


def test_processes_append_side_by_side(url: str, ledger: Ledger, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    keyfile = tmp_path / "log.key"
    workers = [context.Process(target=_write, args=(url, keyfile, f"p{n}")) for n in range(3)]
    for w in workers:
        w.start()
    for w in workers:
        w.join(60)
        assert w.exitcode == 0
    assert ledger.key is not None
    ids = [e.leaf.id for e in ledger.entries()]
    assert len(set(ids)) == len(ids) == 135
    for ref in (0, 67, 134):
        ledger.prove(ref).verify(ledger.key)


def test_processes_make_the_ledger_side_by_side(url: str) -> None:
    def work() -> None:
        with Ledger.open(url, create=True) as log:
            log.append(b"x")

    threads = [threading.Thread(target=work) for _ in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    with Ledger.open(url) as log:
        assert len(log) == 6
