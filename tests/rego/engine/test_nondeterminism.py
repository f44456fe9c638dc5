"""Builtins that are no functions of their arguments: constant in a query, recorded, replayed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adjudge.rego import Options, RegoEvalError, compile_modules
from adjudge.rego.evidence import EvidenceProgram
from adjudge.rego.runtime.recording import Recording

MODULE = """package t

now := time.now_ns()

ids[name] := uuid.rfc4122(name) if some name in ["a", "b"]

draws := [rand.intn("k", 1000000), rand.intn("l", 1000000)]

same if {
    time.now_ns() == now
    uuid.rfc4122("a") == ids.a
    rand.intn("k", 1000000) == draws[0] with input as {"other": 1}
    now == other with input as 7
}

other := time.now_ns()

found := net.lookup_ip_addr("host.example")

answer := http.send({"method": "get", "url": "http://host.example/"}).raw_body

deny contains sprintf("%d %v", [now, found])
"""


class World:
    """Answers every question differently, and counts them."""

    def __init__(self) -> None:
        self.asked = 0

    def resolve(self, _name: str) -> list[str]:
        self.asked += 1
        return ["192.0.2.1", f"192.0.2.{self.asked + 1}"]

    def send(self, _request: Any) -> dict[str, Any]:
        self.asked += 1
        body = json.dumps({"question": self.asked}).encode()
        return {"status": "200 OK", "status_code": 200, "headers": {}, "body": body}


def everything(options: Options) -> tuple[Any, Any]:
    """All rules of the package, and the context that they were evaluated in."""
    program = compile_modules({"t.rego": MODULE})
    query = program.prepare("x := data.t")
    context = program.context({}, options, None)
    return query.eval_context(context)[0].bindings["x"], context


def services(world: World) -> dict[str, Any]:
    return {"resolver": world.resolve, "http": world.send}


def options(world: World, **more: Any) -> Options:
    return Options(seed=b"s", services=services(world), **more)


def test_answers_are_the_same_within_a_query() -> None:
    world = World()
    found, context = everything(options(world))
    assert found["same"] is True
    assert world.asked == 2
    assert set(context.shared.nondeterminism) >= {"time.now_ns", "uuid.rfc4122", "rand.intn"}
    assert len(context.shared.nondeterminism["uuid.rfc4122"]) == 2


def test_a_recording_gives_the_same_result_whoever_answers() -> None:
    first, context = everything(options(World()))
    recording = Recording.of(context.shared.nondeterminism)
    silent = World()
    again, _ = everything(Options(now_ns=1, services=services(silent), recorded=recording))
    assert again == first
    assert silent.asked == 0
    anew, _ = everything(Options(now_ns=1, seed=b"t", services=services(World())))
    assert anew["now"] != first["now"]
    assert anew["draws"] != first["draws"]


def test_a_recording_survives_json() -> None:
    first, context = everything(options(World()))
    text = json.dumps(Recording.of(context.shared.nondeterminism).to_json())
    entries = json.loads(text)
    assert {"builtin", "arguments", "result"} == set(entries[0])
    again, _ = everything(Options(recorded=Recording.from_json(entries)))
    assert again == first


def test_what_was_not_recorded_is_undefined_and_asked_of_nobody() -> None:
    world = World()
    found, _ = everything(options(world, recorded=Recording({})))
    assert world.asked == 0
    assert "now" not in found
    assert found["deny"] == []
    with pytest.raises(RegoEvalError, match="holds no answer"):
        everything(options(world, recorded=Recording({}), strict_builtin_errors=True))


def test_evidence_is_recorded_and_replayed() -> None:
    evidence = EvidenceProgram(compile_modules({"t.rego": MODULE}))
    first = evidence.start({}, options(World()))
    solutions = first.run(evidence.entries[0]).solutions
    recording = Recording.of(first.context.shared.nondeterminism)
    again = evidence.start({}, Options(now_ns=5, recorded=recording))
    assert again.run(evidence.entries[0]).solutions == solutions
