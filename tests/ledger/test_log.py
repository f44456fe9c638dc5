"""The decision log: what goes in comes out, nothing changes, damage is told."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from adjudge.decision.assemble import make_decision
from adjudge.decision.model import Context, Decision, EngineInfo, InputInfo, PolicyInfo, RuleResult
from adjudge.ledger import DecisionLog
from adjudge.ledger.log import LedgerError

ZERO = "0" * 64


def decision(time_ns: int, outcome: str = "pass") -> Decision:
    return make_decision(
        time_ns=time_ns,
        results=[
            RuleResult(
                rule_id="R-1",
                package="data.r",
                title="a rule",
                severity="low",
                outcome=outcome,  # type: ignore[arg-type]
            )
        ],
        subject=[],
        policy=PolicyInfo(name="p", digest=ZERO),
        engine=EngineInfo(name="adjudge", version="0"),
        input=InputInfo(digest=ZERO),
        context=Context(),
    )


def test_decisions_come_back_as_they_went_in(tmp_path: Path) -> None:
    made = [decision(n * 1_000_000_000) for n in range(1, 6)]
    with DecisionLog(tmp_path / "log.db") as log:
        log.append(made[:2])
        log.append(made[2:])
        found = list(log.decisions())
    assert [f.seq for f in found] == [1, 2, 3, 4, 5]
    assert [f.decision.digest for f in found] == [d.digest for d in made]


def test_a_period_includes_its_start_and_excludes_its_end(tmp_path: Path) -> None:
    with DecisionLog(tmp_path / "log.db") as log:
        log.append([decision(n * 1_000_000_000) for n in range(1, 6)])
        found = list(log.decisions(2_000_000_000, 4_000_000_000))
    assert [f.seq for f in found] == [2, 3]


def test_the_log_refuses_changes_and_deletions(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with DecisionLog(path) as log:
        log.append([decision(1)])
    db = sqlite3.connect(path)
    for statement in ("update decision set outcome = 'allow'", "delete from decision"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            db.execute(statement)


def test_a_record_changed_from_outside_is_found(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with DecisionLog(path) as log:
        log.append([decision(1)])
    db = sqlite3.connect(path)
    db.execute("drop trigger decision_no_update")
    changed = "cast(replace(cast(record as text), 'a rule', 'no rule') as blob)"
    db.execute(f"update decision set record = {changed}")
    db.commit()
    db.close()
    with DecisionLog(path) as log, pytest.raises(LedgerError) as e:
        list(log.decisions())
    assert e.value.code == "ledger_corrupt"


def test_the_same_decision_cannot_be_logged_twice_and_the_batch_is_refused_whole(
    tmp_path: Path,
) -> None:
    one, two = decision(1), decision(2)
    with DecisionLog(tmp_path / "log.db") as log:
        log.append([one])
        with pytest.raises(LedgerError) as e:
            log.append([two, one])
        assert e.value.code == "ledger_write_failed"
        assert len(log) == 1


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database at all, but long enough to look at" * 20)
    with pytest.raises(LedgerError) as e:
        DecisionLog(text)
    assert e.value.code == "ledger_unavailable"
    other = tmp_path / "other.db"
    sqlite3.connect(other).execute("create table t (x)").connection.commit()
    with pytest.raises(LedgerError) as e:
        DecisionLog(other)
    assert e.value.code == "ledger_not_a_log"
    with pytest.raises(LedgerError) as e:
        DecisionLog(tmp_path / "missing.db", create=False)
    assert e.value.code == "ledger_not_found"


def test_threads_and_connections_append_side_by_side(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    logs = [DecisionLog(path), DecisionLog(path)]

    def work(log: DecisionLog, offset: int) -> None:
        for n in range(20):
            log.append([decision(offset + n)])

    threads = [
        threading.Thread(target=work, args=(logs[n % 2], n * 1_000_000_000)) for n in range(4)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(logs[0]) == 80
    for log in logs:
        log.close()
