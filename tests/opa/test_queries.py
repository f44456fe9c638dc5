"""Queries and documents that an OPA answers, compared with what the embedded engine gives."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.opa.conftest import Fake, Opa, reply, running

from adjudge.errors import AdjudgeError
from adjudge.opa.answering import opa_answers
from adjudge.opa.asking import Question, evaluate_query
from adjudge.opa.client import Opa as Client
from adjudge.opa.errors import OpaError
from adjudge.opa.target import parse_target
from adjudge.rego import UNDEFINED, Options, RegoEvalError, compile_modules
from adjudge.rego.parser import parse_module
from adjudge.service import DecisionPoint

MODULES = {
    "a.rego": """package a
import data.lib
p := input.x
s contains x if some x in [3, 1, input.x]
f(x) := x + 1
list := [1, false, {"k": [true]}]
half := 1 / input.zero
word := lib.shout("w")
clock := time.now_ns()
nothing := 1 if not input
""",
    "lib.rego": 'package lib\nshout(x) := concat("", [upper(x), "!"])\n',
}
DATA = {"d": {"k": [1, 2], "x.y": {"a b/c": 1}}, "1": "one"}
INPUT = {"x": 3, "zero": 0}

QUERIES = [
    "data.a.p",
    "data.a.s",
    "x := data.a.f(1)",
    "data.a.f(1)",
    "data.a.f(1, y)",
    "some x in data.a.list; x",
    "data.a.list[i]",
    "data",
    "data.d",
    "x = data.d.k[_]; y := x * 2",
    "not data.a.nope",
    "input.x == 3",
    "input.x == 4",
    "input.x == 4; true",
    "false",
    "data.nope",
    "data.a.half",
    "every x in [1, 2] { x > 0 }",
    "walk(data.d.k, [p, v])",
    "plus(1, 2, z)",
    '$"a {input.x}"',
    "[x | x := data.d.k[_]]",
    "data.a.clock",
    "x := data.a.p with input.x as 9",
    '{"a": y} = {"a": 4}',
    "some i; data.d.k[i] > 1",
    "x := 1;\n  y := x + 1 ; y",
]


@pytest.mark.parametrize("query", QUERIES)
def test_queries(query: str, opa: Opa) -> None:
    here = compile_modules(MODULES, data=DATA).prepare(query)
    there = evaluate_query(
        Client(opa.target), MODULES, DATA, INPUT, Question(query, now_ns=17), pytest.fail
    )
    assert there == here.eval(INPUT, options=Options(now_ns=17))


@pytest.mark.parametrize("input_", [UNDEFINED, None, False, 0, "", [], {}])
def test_inputs_that_are_empty_are_inputs(input_: Any, opa: Opa) -> None:
    query = "x := [v | v := input]"
    found = evaluate_query(Client(opa.target), {}, {}, input_, query)
    assert found == compile_modules({}).prepare(query).eval(input_)


def test_names_of_a_package_and_of_imports(opa: Opa) -> None:
    imports = parse_module("package q\nimport data.lib as l").imports
    question = Question("x := l.shout(word); f(p)", package=("a",), imports=imports)
    found = evaluate_query(Client(opa.target), MODULES, DATA, INPUT, question)
    here = compile_modules(MODULES, data=DATA).prepare(
        question.query, package=("a",), imports=imports
    )
    assert found == here.eval(INPUT)


def test_errors_have_the_place_in_what_was_written(opa: Opa) -> None:
    client = Client(opa.target)
    with pytest.raises(RegoEvalError) as caught:
        evaluate_query(client, MODULES, DATA, INPUT, Question("data.a.half", strict=True))
    assert str(caught.value) == "a.rego:7:9: eval_builtin_error: div: divide by zero"
    with pytest.raises(RegoEvalError) as caught:
        evaluate_query(client, MODULES, DATA, INPUT, Question("x := 1; y := 1 / 0", strict=True))
    assert (caught.value.location or (0, 0, 0))[1:] == (1, 14)


def test_what_cannot_be_read_or_compiled(opa: Opa) -> None:
    with pytest.raises(AdjudgeError, match="rego_parse_error"):
        evaluate_query(Client(opa.target), {}, {}, {}, "x :=")
    with pytest.raises(OpaError) as caught:
        evaluate_query(Client(opa.target), {"a.rego": "package a\np := q(1)"}, {}, {}, "data.a.p")
    assert caught.value.code == "opa_policy_refused"
    assert "a.rego" in str(caught.value)


def test_numbers_are_exact(opa: Opa) -> None:
    big = 123456789012345678901234567890
    found = evaluate_query(Client(opa.target), {}, {"n": big}, {"m": big}, "x := data.n + input.m")
    assert found[0].bindings == {"x": 2 * big}


# --- the service ---------------------------------------------------------------------------------

PATHS: list[tuple[str | int, ...]] = [
    (),
    ("a",),
    ("a", "p"),
    ("a", "list", 2, "k", 0),
    ("a", "list", 9),
    ("a", "f"),
    ("a", "half"),
    ("a", "clock"),
    ("nope", "nope"),
    ("d", "x.y", "a b/c"),
    ("d", *["k"] * 20),
]


@pytest.fixture(scope="module")
def points(shared_opa: Opa) -> Any:
    """The same policies behind both engines."""
    modules = [parse_module(text, name) for name, text in MODULES.items()]
    with opa_answers(shared_opa.target, modules, DATA, pytest.fail) as answers:
        yield DecisionPoint(MODULES, DATA), DecisionPoint(MODULES, DATA, engine=answers)


@pytest.mark.parametrize("path", PATHS)
def test_documents(path: tuple[str | int, ...], points: Any) -> None:
    here, there = (point.answer(path, INPUT, now_ns=17) for point in points)
    assert there.error is None
    assert there.value == here.value
    assert there.decision.outcome == here.decision.outcome
    assert there.decision.engine.backend == "opa"
    assert [d.code for d in there.decision.degradations] == ["opa_engine"]


@pytest.mark.parametrize(
    "path", [("a", "nothing"), ("a", "word"), ("d", "x.y", "a b/c"), ("nope",), ("a", "list", 1)]
)
def test_documents_without_an_input(path: tuple[str | int, ...], points: Any) -> None:
    here, there = (point.answer(path) for point in points)
    assert there.value == here.value


def test_builtin_errors_when_they_are_asked_for(points: Any) -> None:
    here, there = (p.answer(("a", "half"), INPUT, strict_builtin_errors=True) for p in points)
    assert str(there.error) == str(here.error)
    assert there.decision.outcome == here.decision.outcome == "deny"


def test_many_threads(points: Any) -> None:
    answers: list[Any] = []

    def ask(n: int) -> None:
        answers.append((n, points[1].answer(("a", "p"), {"x": n}).value))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [(n, n) for n in range(24)]


def test_an_opa_that_comes_back_gets_the_policies_again() -> None:
    modules = [parse_module(MODULES["lib.rego"])]
    with running() as opa, opa_answers(opa.target, modules, DATA, print) as answers:
        point = DecisionPoint(MODULES, DATA, engine=answers)
        assert point.answer(("d", "k"), {}).value == [1, 2]
        opa.stop()
        down = point.answer(("d", "k"), {})
        assert (down.decision.outcome, down.value) == ("no_verdict", UNDEFINED)
        assert down.error is not None
        assert down.error.code == "opa_unreachable"
        with running(port=opa.port) as again:
            assert point.answer(("d", "k")).value == [1, 2]
            assert point.answer(("d", "k"), {}).value == [1, 2]
            assert len(again.runs()[1]) == 1
            answers.close()
            assert again.runs() == ([], {})


def test_an_opa_that_is_slow_is_no_verdict(fake: Callable[..., Fake]) -> None:
    slow = threading.Event()

    def answer(handler: Any) -> None:
        if "/ask/" in handler.path:
            slow.wait(3)
        elif handler.command == "POST":
            reply(handler, 200, {"provenance": {"version": "1.22.0"}})
        else:
            reply(handler, 204 if "/data/" in handler.path else 200, b"{}")

    target = parse_target(fake(answer).url, timeout=0.4)
    with opa_answers(target, [], {}, print) as answers:
        answer_ = DecisionPoint({}, {}, engine=answers).answer(("a",), {})
    slow.set()
    assert answer_.decision.outcome == "no_verdict"
    assert answer_.decision.reason_codes == ("timeout",)


def test_documents_of_an_opa_that_has_the_policies_already(tmp_path: Path) -> None:
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "data.json").write_text(json.dumps(DATA))
    modules = [parse_module(text, name) for name, text in MODULES.items()]
    with running(str(tmp_path)) as opa:
        before = opa.contents()[0]
        target = replace(opa.target, push=False)
        with opa_answers(target, modules, DATA, pytest.fail) as answers:
            here = DecisionPoint(MODULES, DATA)
            there = DecisionPoint(MODULES, DATA, engine=answers)
            for path in PATHS:
                if path and path != ("a",) and path[-1] != "clock":
                    made = there.answer(path, INPUT)
                    assert made.value == here.answer(path, INPUT).value
            assert there.answer(("a", "nothing")).value == 1
            failed = there.answer(("a", "half"), INPUT, strict_builtin_errors=True)
            assert failed.error is not None
            assert failed.error.code == "eval_builtin_error"
            codes = {d.code for d in made.decision.degradations}
            assert codes == {"opa_engine", "opa_policies_unverified"}
        assert opa.contents()[0] == before
        assert opa.runs() == ([], {})
