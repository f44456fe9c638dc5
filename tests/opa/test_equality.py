"""The same policies, data and inputs give the same decision under both engines."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.opa.conftest import EXAMPLES, Opa, Subject, case_of, running, told

from adjudge.documents.reading import read_yaml
from adjudge.evaluation import Engine, Judge, Judgement, evaluate
from adjudge.opa.engine import opa_engine
from adjudge.opa.errors import OpaError
from adjudge.policyset import load_policy_set

BROKEN = sorted(p.name for p in (EXAMPLES / "broken").iterdir() if p.is_dir())


def same(one: Subject, engine: Engine) -> None:
    here = one.embedded()
    there = evaluate(one.judge, one.case, one.settings, None, engine)
    assert told(there) == told(here)
    assert there.decision.outcome == here.decision.outcome
    assert there.decision.reason_codes == here.decision.reason_codes
    assert there.decision.input == here.decision.input
    assert there.decision.policy == here.decision.policy
    assert placed(there) == placed(here)


def placed(judgement: Judgement) -> list[Any]:
    """The findings that name a place, in order, with where that stands."""
    return [
        (r.rule_id, r.message, r.pointer, r.source) for r in judgement.decision.results if r.pointer
    ]


@pytest.fixture(scope="module")
def pushed() -> Iterator[tuple[Judge, Engine]]:
    """The collection ``strict`` with the settings of the example organisation, in an OPA."""
    settings = EXAMPLES / "organisation" / "settings.yaml"
    judge = Judge(load_policy_set(["strict"], data=[settings]))
    with (
        running() as opa,
        opa_engine(
            opa.target, judge.policies, judge.entries, judge.evidence, pytest.fail
        ) as engine,
    ):
        yield judge, engine


@pytest.mark.parametrize(
    "name", ["support-assistant", "support-assistant-broken", "card-only/model", "sbom-only"]
)
def test_shipped_policies_over_the_examples(name: str, pushed: tuple[Judge, Engine]) -> None:
    judge, engine = pushed
    same(Subject(judge, case_of(EXAMPLES / name)), engine)


@pytest.mark.parametrize("name", BROKEN)
def test_shipped_policies_over_broken_releases(
    name: str, pushed: tuple[Judge, Engine], tmp_path: Path
) -> None:
    judge, engine = pushed
    folder, broken = tmp_path / "release", EXAMPLES / "broken" / name
    shutil.copytree(EXAMPLES / "support-assistant", folder)
    told = read_yaml((broken / "expected.yaml").read_text(), "expected.yaml").value
    for gone in told.get("remove", []):
        (folder / gone).unlink()
    if (broken / "files").exists():
        shutil.copytree(broken / "files", folder, dirs_exist_ok=True)
    same(Subject(judge, case_of(folder)), engine)


def test_both_languages(shared_opa: Opa) -> None:
    for language in ("rego", "yaml"):
        folder = EXAMPLES / "rego-and-yaml"
        judge = Judge(load_policy_set([folder / language]))
        one = Subject(judge, case_of(EXAMPLES / "support-assistant-broken"))
        here, there = one.embedded(), one.opa(shared_opa.target)
        assert told(there) == told(here)


POLICIES: dict[str, tuple[dict[str, str], Any]] = {
    "strings, objects and several clauses": (
        {
            "a.rego": """package a
            # METADATA
            # custom: {id: A-1, severity: high}
            deny contains msg if { some x in input.xs; x > 2; msg := sprintf("%d is large", [x]) }
            # METADATA
            # custom: {id: A-2, severity: low}
            deny contains {"msg": "with details", "n": 1.5, "set": {3, 1}, "pointer": "/xs/1"} if {
                count(input.xs) > 1
            }
            deny contains "never" if input.never
            warn contains {"message": m, "remediation": "do"} if { m := input.text }
            """
        },
        {"xs": [1, 2, 3, 4], "text": 'a \u00e9 \U0001f600 "quoted"\nline'},
    ),
    "rules with one value": (
        {
            "a.rego": """package a
            deny := "text" if input.x == 1 else := ["list", "of two"] if input.x == 2
            deny_other if input.x == 2
            deny_third := false if input.x == 2
            default deny_fourth := true
            deny_fourth := true if input.x == 3
            violation contains {"msg": "v", "details": {"x": input.x}}
            warn_array := [{"msg": "m"}] if input.x == 2
            """
        },
        {"x": 2},
    ),
    "what is no message": (
        {"a.rego": 'package a\ndeny contains x if some x in [1, null, {"no": 1}, "fine"]'},
        {},
    ),
    "conditions of packages": (
        {
            "a.rego": 'package a\napplicable if input.on\ndeny contains "a"',
            "b.rego": 'package b\napplicable if input.off\ndeny contains "b"',
            "c.rego": 'package c\napplicable := 1 / input.zero\ndeny contains "c"',
        },
        {"on": True, "zero": 0},
    ),
    "functions and data across packages": (
        {
            "a.rego": """package a.b
            import data.lib.text as t
            import data.settings
            import rego.v1
            deny contains t.shout(settings.word) if data.lib.on
            deny contains other if { other := data.lib.text.shout("x") with input.y as 1 }
            deny contains w if { some w; data.settings.words[w]; not data.lib.known(w) }
            """,
            "lib/text.rego": """package lib.text
            shout(x) := sprintf("%s%s", [upper(x), data.a.b.mark])
            """,
            "lib/on.rego": """package lib
            default on := false
            on if input.on
            default known(_) := false
            known("one") := true
            """,
            "mark.rego": 'package a.b\nmark := "!"\n',
            "data.yaml": "settings: {word: hello, words: {one: 1, two: 2}}",
        },
        {"on": True},
    ),
    "the clock, and data below the name of a package": (
        {
            "a.rego": """package a.b
            deny contains sprintf("%d %s", [time.now_ns(), time.weekday(time.now_ns())])
            deny contains sprintf("%v", [data.a.limit])
            deny contains sprintf("%v", [{k | some k, _ in data.c}])
            """,
            "c.rego": "package c.d\nx := 1",
            "a/data.json": '{"limit": 3}',
            "c/data.json": '{"limit": 3}',
        },
        {},
    ),
    "names that need quotes": (
        {
            "a.rego": """package odd["odd-name"].if_
            import data.odd["odd-name"].if_ as me
            deny contains "x" if me.y["a b"] == 1
            y["a b"] := 1
            """
        },
        {},
    ),
    "errors": (
        {
            "a.rego": """package a

            # a comment above
            deny contains "fine"

            deny contains x if {
                y := input.zero
                x := 1 / y
            }
            deny contains "unit" if units.parse(input.text) > 1
            """
        },
        {"zero": 0, "text": "ten"},
    ),
    "metadata": (
        {
            "a.rego": """# METADATA
# title: The package
package a

# METADATA
# title: The rule
# custom: {id: M-1, severity: low}
deny contains rego.metadata.rule().title if true
"""
        },
        {},
    ),
    "everything else": (
        {
            "a.rego": r"""package a
            deny contains $"{x} of {count(input.xs)}" if { some i; x := input.xs[i]; i >= 1 }
            deny contains "every" if every k, v in input.o { is_string(k); v > 0 }
            deny contains `raw \\ back` if regex.match(`^\\d+$`, "12")
            deny contains m if {
                m := concat(",", sort({x | some x in input.xs; x != "b"} | {"z"}))
            }
            deny contains m if {
                o := {k: v | some k, v in input.o} | {}
                m := "never"
            }
            """.replace("o := {k: v | some k, v in input.o} | {}\n", 'walk(input.o, [["k"], _])\n')
        },
        {"xs": ["a", "b", "c"], "o": {"k": 1}},
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies(name: str, opa: Opa, written: Callable[..., Subject]) -> None:
    policies, document = POLICIES[name]
    one = written(policies, document)
    here, there = one.embedded(), one.opa(opa.target)
    assert told(there) == told(here)
    assert here.decision.results, "something must have been compared"


def test_rego_v0(opa: Opa, written: Callable[..., Subject]) -> None:
    policy = """package a
    import future.keywords.in
    deny[msg] { x := input.xs[_]; x > 1; msg := sprintf("%d", [x]) } { msg := "second" }
    deny["third"] { some x in input.xs; is_two(x) }
    is_two(x) { x == 2 } else = false { x == 3 }
    warn = "complete" { not input.nothing }
    """
    one = written({"a.rego": policy}, {"xs": [1, 2, 3]}, v0=True)
    assert told(one.opa(opa.target)) == told(one.embedded())


def test_builtin_errors_may_be_forgiven(opa: Opa, written: Callable[..., Subject]) -> None:
    policy = 'package a\ndeny contains "x" if 1 / input.zero > 1\ndeny contains "y"\n'
    one = written({"a.rego": policy}, {"zero": 0}, strict_builtin_errors=False)
    here, there = one.embedded(), one.opa(opa.target)
    assert [r.outcome for r in there.decision.results] == ["pass", "fail"]
    assert told(there) == told(here)


def test_conflicts_are_told_in_the_words_of_opa_about_policies_as_written(
    opa: Opa, written: Callable[..., Subject]
) -> None:
    policy = """package a

    deny contains "x" if two == 1
    two := 1 if input.on
    two := 2 if input.on
    """
    (result,) = written({"a.rego": policy}, {"on": True}).opa(opa.target).decision.results
    assert result.outcome == "error"
    assert result.message.startswith("policies/a.rego:5:5: eval_conflict_error: ")
    assert "data.a.two" in result.message
    assert "adjudge_runs" not in result.message


def test_policies_without_rules_that_count(opa: Opa, written: Callable[..., Subject]) -> None:
    one = written({"a.rego": "package a\nallow if input.x\n"}, {"x": 1})
    here, there = one.embedded(), one.opa(opa.target)
    assert there.decision.outcome == here.decision.outcome == "no_verdict"
    assert there.decision.reason_codes == here.decision.reason_codes


def test_the_policy_that_cannot_be_written_is_named(
    opa: Opa, written: Callable[..., Subject]
) -> None:
    one = written(
        {"a.rego": 'package a\ndeny["x"] { true }\n', "b.rego": "package b\np { in := 1 }\n"},
        v0=True,
    )
    with pytest.raises(OpaError) as caught:
        one.opa(opa.target)
    assert caught.value.code == "opa_policy_inexpressible"
    assert caught.value.location is not None
    assert caught.value.location.file.endswith("b.rego")
