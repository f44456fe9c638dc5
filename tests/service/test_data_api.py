"""OPA's data API as OPA answers it; the bodies were taken from OPA 1.22."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from adjudge.ledger import Ledger, LedgerError
from adjudge.rego.runtime.limits import Limits
from adjudge.service import DecisionPoint, create_app
from adjudge.service.recorder import Recorder

POLICY = """package app

default allow := false
allow if input.user == "x"

deny contains "no user" if not input.user

f(x) := x

bad := 1 / 0

conflict := x if { x := [1, 2][_] }

sizes["a"] := 1

slow if {
    some a in numbers.range(1, 3000)
    some b in numbers.range(1, 3000)
    a * b == -1
}
"""
MISSING = {"code": "api_usage_warning", "message": "'input' key missing from the request"}


@pytest.fixture
def client() -> Iterator[TestClient]:
    point = DecisionPoint(
        {"app.rego": POLICY},
        {"tenants": {"a": {"models": ["m1", "m2"]}}, "0": "zero"},
        limits=Limits(seconds=0.3),
    )
    with TestClient(create_app(point), follow_redirects=False) as c:
        yield c


def test_a_result(client: TestClient) -> None:
    answer = client.post("/v1/data/app/allow", json={"input": {"user": "x"}})
    assert (answer.status_code, answer.json()) == (200, {"result": True})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", ["{}", "", "  ", '{"other": 1}'])
def test_a_missing_input_is_a_warning(client: TestClient, body: str) -> None:
    answer = client.post("/v1/data/app/allow", content=body)
    assert answer.json() == {"result": False, "warning": MISSING}


@pytest.mark.parametrize("path", ["app/nope", "nope/x/y", "app/allow/deeper", "app/f"])
def test_undefined_has_no_result(client: TestClient, path: str) -> None:
    answer = client.post(f"/v1/data/{path}", json={"input": 1})
    assert (answer.status_code, answer.json()) == (200, {})


@pytest.mark.parametrize(
    "body", ["{bad", "[]", "1", '"x"', '{"input": 1} x', '{"a": 1, "a": 2}', "{" * 5000]
)
def test_a_malformed_body_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/v1/data/app/allow", content=body)
    assert answer.status_code == 400
    found = answer.json()
    assert found["code"] == "invalid_parameter"
    assert found["message"].startswith("body contains malformed input document: ")


def test_bytes_that_are_no_utf8_are_refused(client: TestClient) -> None:
    answer = client.post("/v1/data/app/allow", content=b'{"input": "\xff"}')
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_conflict_is_an_internal_error_with_its_place(client: TestClient) -> None:
    answer = client.post("/v1/data/app/conflict", json={"input": {}})
    assert answer.status_code == 500
    found = answer.json()
    assert found["code"] == "internal_error"
    assert found["message"] == "error(s) occurred while evaluating query"
    assert found["errors"][0]["code"] == "eval_conflict_error"
    assert found["errors"][0]["location"]["file"] == "app.rego"


def test_builtin_errors_count_only_when_strict(client: TestClient) -> None:
    assert client.post("/v1/data/app/bad", json={"input": {}}).json() == {}
    strict = client.post("/v1/data/app/bad?strict-builtin-errors", json={"input": {}})
    assert strict.status_code == 500
    assert strict.json()["errors"][0]["message"] == "div: divide by zero"


def test_a_slow_policy_ends_in_an_error_not_in_an_answer(client: TestClient) -> None:
    answer = client.post("/v1/data/app/slow", json={"input": {}})
    assert answer.status_code == 500
    assert answer.json()["errors"][0]["code"] == "eval_limit_error"


def test_get_takes_the_input_from_the_query(client: TestClient) -> None:
    good = client.get("/v1/data/app/allow", params={"input": '{"user": "x"}'})
    assert good.json() == {"result": True}
    bad = client.get("/v1/data/app/allow", params={"input": "{"})
    assert bad.status_code == 400
    assert bad.json()["message"].startswith("parameter contains malformed input document")


def test_base_documents_indexes_and_escapes(client: TestClient) -> None:
    assert client.get("/v1/data/tenants/a/models/1").json() == {"result": "m2"}
    assert client.get("/v1/data/tenants/a/models/7").json() == {}
    assert client.get("/v1/data/app/sizes/a").json() == {"result": 1}
    assert client.get("/v1/data/app%22x/allow").status_code == 400


def test_yaml_bodies(client: TestClient) -> None:
    answer = client.post(
        "/v1/data/app/allow",
        content="input:\n  user: x\n",
        headers={"content-type": "application/yaml"},
    )
    assert answer.json() == {"result": True}


def test_pretty_and_metrics(client: TestClient) -> None:
    answer = client.post("/v1/data/app/allow?pretty=true&metrics", json={"input": {"user": "x"}})
    assert answer.text.startswith('{\n  "metrics": {')
    assert answer.json()["metrics"]["timer_rego_query_eval_ns"] > 0


def test_v0_answers_the_bare_document(client: TestClient) -> None:
    assert client.post("/v0/data/app/allow", json={"user": "x"}).json() is True
    missing = client.post("/v0/data/app/nope", json={"user": "x"})
    assert (missing.status_code, missing.json()["code"]) == (404, "undefined_document")


def test_other_paths_methods_and_slashes(client: TestClient) -> None:
    assert client.get("/v1/nothing").status_code == 404
    assert client.delete("/health").status_code == 405
    assert client.get("/health").json() == {}
    moved = client.post("/v1/data/app/allow/", json={"input": {}})
    assert (moved.status_code, moved.headers["location"]) == (301, "/v1/data/app/allow")


def test_every_answer_is_logged_and_says_its_id(tmp_path: Path) -> None:
    log = Ledger.open(tmp_path / "adjudge.db", create=True)
    problems: list[str] = []
    point = DecisionPoint({"app.rego": POLICY}, {})
    with TestClient(create_app(point, Recorder(log.append_decisions, problems.append))) as client:
        ids = [
            client.post("/v1/data/app/allow", json={"input": {"user": u}}).json()["decision_id"]
            for u in ("x", "y")
        ]
        ids.append(client.post("/v1/data/app/deny", json={"input": {}}).json()["decision_id"])
        assert client.post("/v1/data/app/conflict", json={"input": {}}).status_code == 500
    logged = [entry.decision for entry in log.decisions()]
    assert [d.decision_id for d in logged[:3]] == ids
    assert [d.outcome for d in logged] == ["allow", "deny", "deny", "deny"]
    assert logged[3].reason_codes == ("evaluation_error",)
    assert problems == []
    log.close()


def test_a_log_that_cannot_be_written_makes_the_service_unhealthy() -> None:
    def refuse(_: Any) -> None:
        raise LedgerError("ledger_write_failed", "disk full")

    told: list[str] = []
    recorder = Recorder(refuse, told.append)
    with TestClient(create_app(DecisionPoint({"app.rego": POLICY}, {}), recorder)) as client:
        client.post("/v1/data/app/allow", json={"input": {}})
        recorder.close()
        assert client.get("/health").status_code == 500
    assert "disk full" in told[0]
