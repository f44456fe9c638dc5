"""The evidence variant: what each clause found, and what it looked at."""

from __future__ import annotations

from typing import Any

from adjudge.rego import UNDEFINED, Options, compile_modules
from adjudge.rego.evidence import EvidenceProgram, Outcome

POLICY = """package t

deny contains msg if {
    some c in input.components
    not c.version
    msg := sprintf("%s has no version", [c.name])
}

deny contains "no owner" if not input.owner

deny contains "small" if big_enough(input.size, data.limits.size)

deny contains "flagged" if flagged

deny contains msg if {
    bad := [c.name | some c in input.components; c.risk > 5]
    count(bad) > 1
    msg := concat(", ", bad)
}

flagged if input.flags.stop == true

big_enough(size, limit) if size < limit
"""
INPUT = {
    "components": [
        {"name": "a", "version": "1", "risk": 9},
        {"name": "b", "risk": 1},
        {"name": "c", "version": "2", "risk": 7},
    ],
    "size": 3,
    "flags": {"stop": True},
}
DATA = {"limits": {"size": 10}}


def outcomes(policy: str, document: Any, data: Any = None) -> list[Outcome]:
    program = EvidenceProgram(compile_modules({"t.rego": policy}, data=data or {}))
    evaluation = program.start(document, Options(strict_builtin_errors=True))
    return [evaluation.run(e) for e in program.entries]


def places(outcome: Outcome) -> set[str]:
    reads = outcome.solutions[0].reads if outcome.solutions else outcome.reads
    return {"/".join(map(str, (r.root, *r.path))) for r in reads}


def test_each_clause_tells_what_its_finding_rests_on() -> None:
    version, owner, size, flag, risk = outcomes(POLICY, INPUT, DATA)
    assert [s.value for s in version.solutions] == ["b has no version"]
    assert places(version) == {"input/components/1/version", "input/components/1/name"}
    assert places(owner) == {"input/owner"}
    assert places(size) == {"input/size", "data/limits/size"}
    assert places(flag) == {"input/flags/stop"}
    assert risk.solutions[0].value == "a, c"
    assert {"input/components/0/risk", "input/components/2/risk"} <= places(risk)


def test_a_missing_value_is_read_as_absent() -> None:
    found = outcomes(POLICY, INPUT, DATA)[1].solutions[0].reads
    assert [(r.path, r.value) for r in found] == [(("owner",), UNDEFINED)]


def test_a_clause_that_finds_nothing_tells_where_it_looked_and_how_far_it_got() -> None:
    good = {**INPUT, "owner": "me", "components": [{"name": "a", "version": "1", "risk": 0}]}
    version, owner, *_ = outcomes(POLICY, good, DATA)
    assert version.solutions == ()
    assert places(version) == {"input/components/0/version"}
    assert version.reached.row == 5
    assert places(owner) == {"input/owner"}


def test_an_error_is_part_of_the_outcome_and_hides_nothing_else() -> None:
    policy = """package t

deny contains "broken" if 1 / input.zero == 1

deny contains "found" if input.zero == 0
"""
    broken, found = outcomes(policy, {"zero": 0})
    assert broken.error is not None
    assert broken.error.code == "eval_builtin_error"
    assert [s.value for s in found.solutions] == ["found"]


def test_entries_are_deny_warn_violation_and_their_prefixes() -> None:
    policy = """package t

deny contains 1
warn contains 1
violation contains 1
deny_more contains 1
denying contains 1
allow := true
deny_function(x) := x
"""
    program = EvidenceProgram(compile_modules({"t.rego": policy}))
    assert [e.name for e in program.entries] == ["deny", "warn", "violation", "deny_more"]


def test_the_same_element_is_one_solution() -> None:
    policy = 'package t\n\ndeny contains "x" if some _ in input.xs\n'
    (only,) = outcomes(policy, {"xs": [1, 2, 3]})
    assert len(only.solutions) == 1


def test_both_variants_agree_on_the_findings() -> None:
    program = compile_modules({"t.rego": POLICY}, data=DATA)
    fast = program.rule("data.t.deny").eval(INPUT)
    slow = sorted(s.value for o in outcomes(POLICY, INPUT, DATA) for s in o.solutions)
    assert fast == slow
