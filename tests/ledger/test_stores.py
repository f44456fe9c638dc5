"""What is particular to a file, and to a server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from adjudge.ledger import Item, Ledger, LedgerError, SigningKey
from adjudge.ledger.audit import audit


@pytest.mark.parametrize("url", ["redis://x", "mysql://a/b", "", "sqlite:", "a\0b"])
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(LedgerError) as e:
        Ledger.open(url, create=True)
    assert e.value.code == "ledger_url_invalid"


def test_a_file_that_is_no_ledger_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all, but long enough to look at" * 20)
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table t (x)").connection.commit()
    cases = [
        (text, True, "ledger_unavailable"),
        (other, True, "ledger_not_a_log"),
        (other, False, "ledger_not_a_log"),
        (tmp_path, True, "ledger_unavailable"),
        (tmp_path / "missing" / "x.db", True, "ledger_unavailable"),
        (tmp_path / "missing.db", False, "ledger_not_found"),
    ]
    for path, create, code in cases:
        with pytest.raises(LedgerError) as e:
            Ledger.open(path, create=create)
        assert e.value.code == code, path
    assert not (tmp_path / "missing.db").exists()


def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    for url in ("a.db", f"sqlite:{tmp_path}/b.db", f"sqlite://{tmp_path}/c.db"):
        path = url if ":" in url else str(tmp_path / url)
        Ledger.open(path, create=True).close()
    found = sorted(tmp_path.glob("*.db"))
    assert [p.name for p in found] == ["a.db", "b.db", "c.db"]
    assert {os.stat(p).st_mode & 0o777 for p in found} == {0o600}


def test_a_damaged_file_ends_in_an_error_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Ledger.open(path, create=True) as log:
        for n in range(200):
            log.append(b"x" * 500, id=f"id-{n}")
    whole = path.read_bytes()
    for place in range(200, len(whole), len(whole) // 23):
        path.write_bytes(whole[:place] + bytes(300) + whole[place + 300 :])
        # Damage in unused parts of the file changes nothing; anything else is told.
        with suppress(LedgerError), Ledger.open(path) as log:
            log.append(b"y")
            assert len(list(log.entries())) == 201
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(LedgerError), Ledger.open(path) as log:
        list(log.entries())


def test_a_full_disk(tmp_path: Path, key: SigningKey) -> None:
    with Ledger.init(tmp_path / "a.db", key) as log:
        log.append(b"1")
        (pages,) = log.rows.database.query("pragma page_count")[0]
        log.rows.database.query(f"pragma max_page_count = {pages + 20}")
        with pytest.raises(LedgerError) as e:
            log.append_all([Item(bytes(5000), f"id-{n}") for n in range(100)])
        assert e.value.code == "ledger_write_failed"
        assert [entry.record for entry in log.entries()] == [b"1"]
        log.append(b"2")
        assert log.key is not None
        assert audit(log, log.key).ok


def test_a_writer_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge.ledger.sqlite.WAIT_SECONDS", 0.1)
    path = tmp_path / "a.db"
    with Ledger.open(path, create=True) as log:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(LedgerError) as e:
            log.append(b"1")
        assert e.value.code == "ledger_busy"
        other.execute("rollback")
        log.append(b"1")
        other.close()


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(LedgerError) as e:
        Ledger.open(f"postgresql://u:secret@/d?host={tmp_path}", create=True)
    assert e.value.code == "ledger_unavailable"
    assert "secret" not in e.value.message
    with pytest.raises(LedgerError) as e:
        Ledger.open("postgresql://u:secret@h/d?nothing=1", create=True)
    assert e.value.code == "ledger_url_invalid"
    assert "secret" not in e.value.message


def test_a_connection_that_broke_is_made_anew(postgres: str) -> None:
    import psycopg

    url = postgres.format("postgres") + "&options=-csearch_path%3Dbroken"
    with psycopg.connect(postgres.format("postgres"), autocommit=True) as admin:
        admin.execute("create schema broken")
        try:
            with Ledger.open(url, create=True) as log:
                log.append(b"1")
                admin.execute(
                    "select pg_terminate_backend(pid) from pg_stat_activity"
                    " where application_name = 'adjudge'"
                )
                with pytest.raises(LedgerError) as e:
                    log.append(b"2")
                assert e.value.code == "ledger_unavailable"
                log.append(b"3")
                assert [entry.record for entry in log.entries()] == [b"1", b"3"]
        finally:
            admin.execute("drop schema broken cascade")


COLUMNS = [
    ("ledger_record", "data"),
    ("ledger_private", "value"),
    ("ledger_private", "salt"),
    ("ledger_entry", "leaf"),
    ("ledger_entry", "id"),
    ("ledger_node", "hash"),
    ("ledger_checkpoint", "note"),
    ("ledger_log", "size"),
    ("ledger_log", "frontier"),
    ("ledger_log", "vkey"),
    ("ledger_log", "time_us"),
]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
@pytest.mark.parametrize("value", ["'text'", "x'00'", "1.5"])
def test_columns_that_hold_something_else(
    tmp_path: Path, key: SigningKey, table: str, column: str, value: str
) -> None:
    path = tmp_path / "a.db"
    with Ledger.init(path, key, origin="example.com/log") as made:
        made.append_all([Item(b"%d" % n, private={"v": b"1"}) for n in range(5)])
        own = made.key
    assert own is not None
    db = sqlite3.connect(path)
    for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        db.execute(f"drop trigger {name}")
    db.execute(
        f"update {table} set {column} = {value} where rowid = (select min(rowid) from {table})"
        if table not in ("ledger_entry", "ledger_node")
        else f"update {table} set {column} = {value} where idx = 0"
    )
    db.commit()
    db.close()
    actions: list[Callable[[Ledger], object]] = [
        lambda log: log.append(b"x"),
        lambda log: list(log.entries()),
        lambda log: log.private(0),
        lambda log: log.prove(0),
        lambda log: log.prove_consistency(3),
        lambda log: log.erase(1),
    ]
    for action in actions:
        with suppress(LedgerError), Ledger.open(path, signer=key) as log:
            action(log)
    with suppress(LedgerError), Ledger.open(path, check=False) as log:
        # The time is only compared with the next writer's clock.
        assert column == "time_us" or not audit(log, own).ok
