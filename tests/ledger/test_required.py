"""Decisions that must be in the ledger before they are answered."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from adjudge.decision.assemble import overruled
from adjudge.decision.model import Decision, Degradation
from adjudge.decision.outcome import Outcome, ReasonCode
from adjudge.ledger import Ledger, LedgerError
from adjudge.service import DecisionPoint, create_app
from adjudge.service.recorder import Recorder

POLICY = 'package app\nallow if input.user == "x"\n'
Make = Callable[..., Decision]


def ask(recorder: Recorder, user: str = "x") -> tuple[int, dict[str, object]]:
    point = DecisionPoint({"app.rego": POLICY}, {})
    with TestClient(create_app(point, recorder)) as client:
        answer = client.post("/v1/data/app/allow", json={"input": {"user": user}})
        health = client.get("/health").status_code
        assert (health == 200) == (answer.status_code == 200)
        return answer.status_code, answer.json()


def test_an_answer_waits_for_the_ledger(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "l.db", create=True) as ledger:
        stored_before_answer: list[int] = []

        def append(decisions: Sequence[Decision]) -> None:
            ledger.append_decisions(decisions)
            stored_before_answer.append(len(ledger))

        status, body = ask(Recorder(append, print, required=True))
        assert (status, body["result"]) == (200, True)
        assert stored_before_answer == [1]
        assert [d.decision.decision_id for d in ledger.decisions()] == [body["decision_id"]]


def test_no_answer_without_the_ledger() -> None:
    def refuse(_: Sequence[Decision]) -> None:
        raise LedgerError("ledger_unavailable", "the disk is gone")

    told: list[str] = []
    status, body = ask(Recorder(refuse, told.append, required=True))
    assert status == 500
    assert body["code"] == "ledger_unavailable"
    assert "result" not in body
    assert "the disk is gone" in told[0]
    # Where it is not required, the answer does not wait for it.
    recorder = Recorder(refuse, told.append)
    point = DecisionPoint({"app.rego": POLICY}, {})
    with TestClient(create_app(point, recorder)) as client:
        answer = client.post("/v1/data/app/allow", json={"input": {"user": "x"}})
    assert answer.json()["result"] is True


def test_those_who_wait_together_share_a_batch(decision: Make) -> None:
    batches: list[int] = []
    first, go_on = threading.Event(), threading.Event()

    def append(decisions: Sequence[Decision]) -> None:
        batches.append(len(decisions))
        first.set()
        go_on.wait(10)

    recorder = Recorder(append, print, required=True)
    threads = [
        threading.Thread(target=recorder.put, args=(decision(n * 10**9),)) for n in range(1, 9)
    ]
    threads[0].start()
    first.wait(10)
    for t in threads[1:]:
        t.start()
    while recorder._queue.qsize() < 7:
        pass
    go_on.set()
    for t in threads:
        t.join(10)
    assert batches == [1, 7]
    recorder.close()


def test_a_decision_that_is_overruled(decision: Make) -> None:
    made = decision(10**9)
    why = Degradation(code="ledger_busy", message="somebody writes")
    denied = overruled(made, Outcome("deny", (ReasonCode.LEDGER_UNAVAILABLE,)), why)
    assert (made.outcome, denied.outcome) == ("allow", "deny")
    assert denied.reason_codes == ("ledger_unavailable",)
    assert denied.degradations == (why,)
    assert denied.results == made.results
    assert denied.decision_id != made.decision_id
    assert Decision.from_json(denied.canonical).digest == denied.digest != made.digest


@pytest.mark.parametrize("kind", ["missing folder", "not a ledger"])
def test_what_a_required_ledger_that_is_down_does_to_a_check(
    decision: Make, tmp_path: Path, kind: str
) -> None:
    from adjudge.cli.ledgers import logged

    place = tmp_path / "none" / "l.db" if kind == "missing folder" else tmp_path / "l.db"
    if kind == "not a ledger":
        place.write_bytes(b"nothing" * 1000)
    made = decision(10**9)
    denied = logged(made, str(place), "default", True)
    assert (denied.outcome, denied.exit_code) == ("deny", 1)
    assert [d.code for d in denied.degradations] == ["ledger_unavailable"]
    with pytest.raises(LedgerError):
        logged(made, str(place), "default", False)
