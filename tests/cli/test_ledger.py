"""``adjudge ledger``: the whole way of a decision, and what is refused."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adjudge.ledger import Ledger, SigningKey

Run = Callable[..., Any]


@pytest.fixture
def ready(run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with a key, and two decisions in it."""
    monkeypatch.delenv("ADJUDGE_LEDGER", raising=False)
    assert run("ledger", "init", "--origin", "example.com/log").code == 0
    for name, code in (("release", 0), ("bad", 1)):
        words = ("check", name, "-p", "policies", "-q", "-o", f"json={name}.json")
        assert run(*words, "--ledger", "adjudge.db", "--require-log").code == code
    return work


@pytest.fixture
def filled(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger with a key and two records that are not signed."""
    monkeypatch.delenv("ADJUDGE_LEDGER", raising=False)
    signer = SigningKey.generate(work / "ledger.key")
    with Ledger.init("adjudge.db", signer, origin="example.com/log") as ledger:
        (work / "ledger.pub").write_text(f"{ledger.key}\n")
    with Ledger.open("adjudge.db") as unsigned:
        unsigned.append(b"one")
        unsigned.append(b"two")
    (work / "bad.json").write_text("{}")
    return work


def decision_id(folder: Path, name: str) -> str:
    found: str = json.loads((folder / f"{name}.json").read_text())["decision_id"]
    return found


def test_the_way_of_a_decision(run: Run, ready: Path) -> None:
    one, two = decision_id(ready, "release"), decision_id(ready, "bad")
    listed = run("ledger", "list").out
    assert re.fullmatch(rf" +0 .* decision +{one}\n +1 .* decision +{two}\n", listed)
    shown = run("ledger", "show", one).json
    assert shown["record"]["decision_id"] == one
    assert run("ledger", "prove", one, "--key", "ledger.key", "-o", "d.tlog-proof").code == 0
    checks = ("ledger", "verify", "d.tlog-proof", "--key", "ledger.pub", "--record")
    good = run(*checks, "release.json")
    assert (good.code, good.out.splitlines()[-1]) == (0, "verified")
    bad = run(*checks, "bad.json")
    assert (bad.code, "record_mismatch" in bad.out) == (1, True)
    whole = run("ledger", "verify", "--key", "ledger.pub", "-f", "json")
    assert (whole.code, whole.json["verified"], whole.json["size"]) == (0, True, 2)
    assert [
        d["decision_id"] for d in run("report", "--ledger", "adjudge.db").json["decisions"]
    ] == [
        one,
        two,
    ]


def test_records_private_values_and_erasing(run: Run, ready: Path) -> None:
    (ready / "note.txt").write_text("hello")
    (ready / "value").write_bytes(b"\x00\xff")
    added = run(
        "ledger", "append", "note.txt", "--id", "n-1", "--key", "ledger.key",
        "--private", "email=a@b.example", "--private", "raw=@value",
    )  # fmt: skip
    assert added.out == "2 record n-1\n"
    assert run("ledger", "show", "2").json["private"] == {"email": "kept", "raw": "kept"}
    shown = run("ledger", "show", "n-1", "--private").json
    assert shown["private"] == {"email": "a@b.example", "raw": {"base64": "AP8="}}
    assert run("ledger", "checkpoint", "-o", "kept").code == 0
    erased = run(
        "ledger", "erase", "n-1", "--name", "email", "--reason", "asked", "--key", "ledger.key"
    )
    assert erased.out == "erased; entry 3 says so\n"
    assert run("ledger", "show", "n-1").json["private"] == {"email": "erased", "raw": "kept"}
    assert run("ledger", "verify", "--key", "ledger.pub", "--since", "kept").code == 0
    assert run("ledger", "export", "x.zip", "--since", "kept", "--with-private").code == 0
    assert run("ledger", "verify", "x.zip", "--key", "ledger.pub", "--since", "kept").code == 0
    again = run("ledger", "append", "release.json")
    assert (again.code, again.error) == (2, "ledger_duplicate")


def test_witnesses(run: Run, ready: Path) -> None:
    made = run("ledger", "keygen", "w.key", "--name", "w.example/1")
    assert made.out == (ready / "w.key.pub").read_text()
    assert run("ledger", "checkpoint", "--key", "ledger.key", "-o", "kept").code == 0
    words = ("ledger", "witness", "--key", "w.key", "--name", "w.example/1", "--state", "w.json")
    cosigned = run(*words, "--log-key", "ledger.pub")
    assert cosigned.code == 0
    asked = (
        "ledger",
        "verify",
        "--key",
        "ledger.pub",
        "--witness",
        "w.key.pub",
        "--witnesses",
        "1",
    )
    assert run(*asked).code == 0
    assert run("ledger", "append", "policies/card.rego", "--key", "ledger.key").code == 0
    missing = run(*asked)
    assert (missing.code, "witnesses_missing" in missing.out) == (1, True)
    assert run("ledger", "prove", "--since", "kept", "-o", "proof").code == 0
    assert run(*words, "--log-key", "ledger.pub", "--proof", "proof", "-o", "cosigned").code == 0
    added = run("ledger", "checkpoint", "--add", "cosigned", "--witness", "w.key.pub")
    assert (added.code, "w.example/1" in added.out) == (0, True)
    assert run(*asked).code == 0


def test_a_ledger_edited_by_hand(run: Run, ready: Path) -> None:
    assert run("ledger", "checkpoint", "--key", "ledger.key").code == 0
    db = sqlite3.connect("adjudge.db")
    db.execute("drop trigger ledger_record_no_update")
    db.execute("update ledger_record set data = x'00' where idx = 0")
    db.commit()
    db.close()
    found = run("ledger", "verify", "--key", "ledger.pub")
    assert (found.code, "record_mismatch: entry 0" in found.out) == (1, True)
    assert found.out.endswith("not verified\n")
    refused = run("ledger", "show", "0")
    assert (refused.code, refused.error) == (2, "ledger_corrupt")
    assert run("report").error == "ledger_corrupt"


def test_tenants_have_logs_of_their_own(run: Run, ready: Path) -> None:
    other = ("--tenant", "other")
    made = run("ledger", "init", *other, "--key", "other.key")
    assert made.code == 0
    words = ("check", "release", "-p", "policies", "-q", "--ledger", "adjudge.db")
    assert run(*words, "--ledger-tenant", "other").code == 0
    assert run("ledger", "list", *other).out.count("\n") == 1
    assert run("report", "--ledger-tenant", "other").json["outcomes"]["allow"] == 1
    assert run("ledger", "show", decision_id(ready, "release"), *other).error == "entry_not_found"


def test_the_verifier_is_printed(run: Run) -> None:
    script = run("ledger", "verifier").out
    compile(script, "verify.py", "exec")
    assert script.startswith("#!/usr/bin/env python3\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("list", "--ledger", "none.db"), "ledger_not_found"),
        (("list", "--ledger", "waivers.yaml"), "ledger_unavailable"),
        (("list", "--ledger", "mysql://x"), "ledger_url_invalid"),
        (("list", "--tenant", "nobody"), "ledger_tenant_unknown"),
        (("list", "--tenant", "a b"), "ledger_tenant_invalid"),
        (("show", "99"), "entry_not_found"),
        (("prove",), "prove_what"),
        (("prove", "0", "--since", "1"), "prove_what"),
        (("prove", "1"), "checkpoint_missing"),
        (("prove", "--since", "5"), "checkpoint_shrank"),
        (("prove", "--since", "waivers.yaml"), "note_malformed"),
        (("append", "none.txt"), "file_unreadable"),
        (("append", "release"), "file_unreadable"),
        (("append", "waivers.yaml", "--id", "a b"), "entry_invalid"),
        (("append", "waivers.yaml", "--kind", "erasure"), "entry_invalid"),
        (("append", "waivers.yaml", "--kind", "decision"), "decision_invalid"),
        (("append", "waivers.yaml", "--private", "x"), "private_invalid"),
        (("append", "waivers.yaml", "bad.json", "--id", "x"), "files_ambiguous"),
        (("append", "waivers.yaml", "--key", "none.key"), "signing_key_unreadable"),
        (("append", "waivers.yaml", "--key", "ledger.pub"), "signing_key_unusable"),
        (("erase", "0"), "nothing_to_erase"),
        (("init",), "output_exists"),
        (("init", "--public", "x.pub"), "ledger_exists"),
        (("init", "--tenant", "b", "--origin", "a b"), "ledger_origin_invalid"),
        (("init", "--tenant", "b", "--origin", "example.com/log"), "ledger_origin_taken"),
        (("verify", "--key", "none"), "key_unreadable"),
        (("verify", "--key", "waivers.yaml"), "key_invalid"),
        (("verify", "--key", "ledger.pub", "--since", "waivers.yaml"), "note_malformed"),
        (("verify", "none", "--key", "ledger.pub"), "file_unreadable"),
        (("checkpoint", "--add", "waivers.yaml"), "witness_missing"),
        (("checkpoint", "--add", "waivers.yaml", "--witness", "ledger.pub"), "note_malformed"),
        (("keygen", "ledger.key", "--name", "w"), "ledger_key_exists"),
        (("keygen", "w.key", "--name", "a b"), "key_name_invalid"),
        (("export", "none/x.zip"), "export_failed"),
        (("export", "waivers.yaml"), "export_exists"),
    ],
)
def test_what_is_refused(run: Run, filled: Path, words: tuple[str, ...], code: str) -> None:
    result = run("ledger", *words)
    assert (result.code, result.error) == (2, code), result.err
    assert "Traceback" not in result.err


def test_what_is_required(run: Run, work: Path) -> None:
    words = ("check", "release", "-p", "policies", "-o", "json=out.json", "-q")
    missing = run(*words, "--require-log")
    assert (missing.code, missing.error) == (2, "ledger_missing")
    down = run(*words, "--require-log", "--ledger", "none/l.db")
    assert down.code == 1
    record = json.loads((work / "out.json").read_text())
    assert (record["outcome"], record["reason_codes"]) == ("deny", ["ledger_unavailable"])
    assert "ledger_unavailable" in [d["code"] for d in record["degradations"]]
    shown = run(*words[:-1], "--require-log", "--ledger", "none/l.db").out
    assert "could not be written" in shown


@pytest.mark.parametrize(
    "words",
    [
        ("--ledger", "none/l.db"),
        ("--ledger", "mysql://x"),
        ("--tenant", "a b"),
        ("--origin", "a b"),
        ("--tenant", "b", "--origin", "example.com/log"),
        ("--public", "new.pub"),
    ],
)
def test_no_key_is_left_of_a_ledger_that_cannot_be(
    run: Run, filled: Path, words: tuple[str, ...]
) -> None:
    assert run("ledger", "init", "--key", "new.key", *words).code == 2
    assert not list(filled.glob("new*"))
