"""Rules are emitted when they are first needed, once, whoever asks."""

from __future__ import annotations

import gc
import threading
from typing import Any

from adjudge.rego import Options, Program, compile_modules
from adjudge.rego.evidence import EvidenceProgram

RULES = 60
POLICY = "package t\n\n" + "\n".join(
    f"r{n} := {{x | some x in input.xs; x > {n}}} if f{n}(input.n)\n\nf{n}(x) if x == input.n\n\n"
    f"deny contains {n} if count(r{n}) > 1\n"
    for n in range(RULES)
)
INPUT: dict[str, Any] = {"xs": [10, 20, 30, 40], "n": 1}


def emitted(program: Program) -> int:
    return len(program._linker._done)


def test_only_what_can_be_reached_is_emitted() -> None:
    program = compile_modules({"t.rego": POLICY})
    assert emitted(program) == 0
    assert program.rule("data.t.r3").eval(INPUT) == [10, 20, 30, 40]
    assert emitted(program) == 2
    program.prepare("x := data.t.r4").eval(INPUT)
    assert emitted(program) == 4
    assert program.rule("data.t.deny").eval(INPUT) == list(range(30))
    assert emitted(program) == len(program.groups)


def test_a_document_emits_the_rules_below_it() -> None:
    program = compile_modules({"a.rego": "package a.b\n\np := 1\n\nq := 2\n", "t.rego": POLICY})
    query = program.prepare("x := data[input.package].b")
    assert query.eval({"package": "a"})[0].bindings == {"x": {"p": 1, "q": 2}}


def test_many_threads_may_ask_at_the_same_time() -> None:
    want = compile_modules({"t.rego": POLICY}).rule("data.t.deny").eval(INPUT)
    for _ in range(5):
        program = compile_modules({"t.rego": POLICY})
        evidence = EvidenceProgram(program)
        start = threading.Barrier(8)
        found: list[Any] = []

        def work(
            number: int,
            program: Program = program,
            evidence: EvidenceProgram = evidence,
            start: threading.Barrier = start,
            found: list[Any] = found,
        ) -> None:
            start.wait()
            if number % 2:
                found.append(program.rule("data.t.deny").eval(INPUT))
                return
            run = evidence.start(INPUT, Options())
            outcomes = [run.run(entry) for entry in evidence.entries]
            found.append(sorted(s.value for outcome in outcomes for s in outcome.solutions))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [want] * 8


def test_compiling_leaves_the_collector_as_it_was() -> None:
    assert gc.isenabled()
    compile_modules({"t.rego": POLICY}).rule("data.t.deny")
    assert gc.isenabled()
    gc.disable()
    try:
        compile_modules({"t.rego": POLICY}).rule("data.t.deny")
        assert not gc.isenabled()
    finally:
        gc.enable()
