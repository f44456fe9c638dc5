"""``adjudge test`` and the real ``opa test`` over the same modules: the same verdicts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.tools.conftest import Runner
from tests.tools.corpus import write_corpus

Write = Callable[[Mapping[str, str]], None]
Verdicts = Callable[[Any], dict[Any, Any]]

SHIPPED = Path(__file__).resolve().parents[2] / "policies"

LIB = """package lib

conflict := x if some x in [1, 2]

yes := true

f(x) := x + 2

status := http.send({"method": "get", "url": "http://example.invalid"}).status_code

year := time.date(time.now_ns())[0]

config := [data.config.a, data.config.b, input.c]
"""

TESTS = """package lib_test

import data.lib

test_pass if true
test_fail if {
	x := 1
	x == 2
}
test_error if lib.conflict == 1
todo_test_later if false
test_twice if true
test_twice if false
test_print if {
	print("hello", {1, 2}, input.x)
	true
}
test_print_and_fail if {
	print("bye")
	false
}
test_false := false
test_number := 3
test_text := "x"
test_cases[note] if {
	some note, n in {"one": 1, "two": 2, "three": 3}
	n < 3
}
test_deep[a][b] if {
	some a in ["p", "q"]
	some b in [1, 2]
	b == 1
}
test_case_of[case.note] if {
	some case in [{"note": "good", "want": 4}, {"note": "bad", "want": 5}]
	lib.f(2) == case.want
}
test_set contains x if some x in [1, 2]
test_object := {"a": true, "b": false}
test_function(x) if x
inner.test_nested if true
inner.test_nested_fails if false
inner.more.test_case[x] if {
	some x in ["a"]
	x == "b"
}
test_part.good if true
test_part.bad if false
test_http_value if {
	r := lib.status with http.send as {"status_code": 200}
	r == 200
}
test_http_function if lib.status == 201 with http.send as answer
answer(request) := {"status_code": 201} if request.method == "get"
test_time if lib.year == 2024 with time.now_ns as time.parse_rfc3339_ns("2024-05-06T07:08:09Z")
default test_default := false
test_default if input.x
test_builtin_fails if to_number("a")
test_division if 1 / 0 == 1
test_trace if {
	trace("note")
	false
}
test_with if {
	c := lib.config with data.config.a as 1 with data.config.b as {"c": 2} with input.c as 3
	c == [1, {"c": 2}, 3]
}
test_data if data.settings.x == 1
test_else if {
	false
} else if {
	true
}
test_else_false if {
	false
} else := false
test_every if {
	every x in [1, 2, 3] {
		x < 3
	}
}
test_not if not lib.yes
test_runtime if is_object(opa.runtime().env)
test_path if rego.metadata.chain()[0].path == ["lib_test", "test_path"]
# METADATA
# title: Titled
test_title if rego.metadata.rule().title == "Titled"
test_json if json.patch({"a": 1}, [{"op": "add", "path": "/b", "value": 2}]) == {"a": 1, "b": 2}
test_graph if graph.reachable({"a": ["b"], "b": []}, ["a"]) == {"a", "b"}
test_parsed if count(rego.parse_module("m.rego", "package m\\nimport rego.v1\\np if q").rules) == 1
"""

OLD = """package old

import data.lib.exempt.is_exempt

message(parameters, fallback) = msg {
  not parameters.message
  msg := fallback
}
message(parameters, fallback) = msg { msg := parameters.message }

violation[{"msg": msg, "details": {"missing": missing}}] {
  not is_exempt(input.review.object)
  provided := {label | input.review.object.metadata.labels[label]}
  required := {label | label := input.parameters.labels[_].key}
  missing := required - provided
  count(missing) > 0
  msg := message(input.parameters, sprintf("labels are missing: %v", [missing]))
}
violation[{"msg": msg}] {
  value := input.review.object.metadata.labels[key]
  expected := input.parameters.labels[_]
  expected.key == key
  expected.pattern != ""
  not re_match(expected.pattern, value)
  msg := sprintf("label <%v: %v> is not like %v", [key, value, expected.pattern])
}
"""

OLD_LIB = """package lib.exempt

is_exempt(obj) { obj.image == input.parameters.exempt[_] }
"""

OLD_TESTS = """package old

test_none {
  results := violation with input as given({"a": "b"}, {})
  count(results) == 0
}
test_missing {
  results := violation with input as given({}, {})
  results[_].msg == "labels are missing: {\\"a\\"}"
}
test_pattern {
  results := violation with input as given({"a": "x"}, {"message": "m"})
  count(results) == 1
}
test_any { any([false, true]); not all([false, true]); cast_array({1}) == [1] }
test_inventory { found with data.inventory as {"ns": {"q": {"ok": true}}} with input as {"n": "q"} }
found { data.inventory.ns[input.n].ok }
given(labels, more) = out {
  parameters := object.union({"labels": [wanted("a", "b")]}, more)
  out := {"review": made(labels), "parameters": parameters}
}
made(labels) = out { out = {"object": {"metadata": {"name": "n", "labels": labels}}} }
wanted(k, p) = out { out = {"key": k, "pattern": p} }
"""


def same(ours: Runner, opa: Runner, verdicts: Verdicts, *words: str) -> dict[Any, Any]:
    """The verdicts of both, which agree, exit codes included."""
    mine, theirs = ours("test", "-f", "json", *words), opa("test", "-f", "json", *words)
    assert mine.code == theirs.code, mine.err + theirs.err
    found = verdicts(mine.json)
    assert found == verdicts(theirs.json)
    return found


def test_every_kind_of_test(ours: Runner, opa: Runner, verdicts: Verdicts, write: Write) -> None:
    write(
        {
            "lib.rego": LIB,
            "lib_test.rego": TESTS,
            "settings/data.json": '{"x": 1}',
            "n.yaml": "n: 1",
        }
    )
    found = same(ours, opa, verdicts, ".")
    assert len(found) == len(re.findall(r"^(default |todo_|inner\.\S*)?test_", TESTS, re.M))
    assert len([each for each in found.values() if "error" in each]) == 2


@pytest.mark.parametrize(
    "words",
    [
        ("-r", "case"),
        ("-r", r"data\.lib_test\.inner"),
        ("-r", "nothing"),
        ("-r", "test_pass", "--count", "2"),
        ("-z", "-r", "later"),
        ("-r", "later"),
        ("--ignore", "settings"),
        ("--ignore", "*.json,*.yaml"),
        ("--timeout", "10s", "-r", "pass"),
        ("-p", "1"),
        ("--sort", "duration"),
        ("--explain", "full"),
        ("--var-values",),
        ("--fail-on-empty", "-r", "nothing"),
        ("-m", "1", "-r", "pass"),
    ],
    ids=" ".join,
)
def test_options(
    ours: Runner, opa: Runner, verdicts: Verdicts, write: Write, words: tuple[str, ...]
) -> None:
    write({"lib.rego": LIB, "lib_test.rego": TESTS, "settings/data.json": '{"x": 1}'})
    mine, theirs = ours("test", "-f", "json", ".", *words), opa("test", "-f", "json", ".", *words)
    assert mine.code == theirs.code
    runs = [re.split(r"(?<=\n\])\n", each.out.rstrip() + "\n") for each in (mine, theirs)]
    assert len(runs[0]) == len(runs[1])
    if "--count" not in words:
        assert verdicts(mine.json or []) == verdicts(theirs.json or [])


def test_old_modules(ours: Runner, opa: Runner, verdicts: Verdicts, write: Write) -> None:
    """Packages that two folders share, as in libraries of admission policies."""
    write(
        {
            "one/src.rego": OLD,
            "one/lib.rego": OLD_LIB,
            "one/src_test.rego": OLD_TESTS,
            "two/lib.rego": OLD_LIB,
            "two/src.rego": OLD.replace("package old", "package other"),
            "two/src_test.rego": OLD_TESTS.replace("package old", "package other"),
        }
    )
    for folder in (".", "one", "two"):
        found = same(ours, opa, verdicts, "--v0-compatible", folder)
        assert all(set(each) == {"location", "package", "name"} for each in found.values())


def test_five_hundred_tests(ours: Runner, opa: Runner, verdicts: Verdicts, work: Path) -> None:
    write_corpus(work / "code", 50)
    found = same(ours, opa, verdicts, "code")
    assert len(found) == 500
    assert sum("error" in each for each in found.values()) == 5
    assert sum("fail" in each for each in found.values()) == 5


def test_shipped_policies(ours: Runner, opa: Runner, verdicts: Verdicts, work: Path) -> None:
    """Policies in YAML are left out: OPA would take them for data."""
    words = ("--ignore", "*.yaml", str(SHIPPED))
    assert len(same(ours, opa, verdicts, *words)) > 200


def test_bundles(ours: Runner, opa: Runner, verdicts: Verdicts, write: Write) -> None:
    write(
        {
            "b/.manifest": '{"roots": ["p", "q"]}',
            "b/p/p.rego": "package p\n\nr := data.q.x\n",
            "b/p/p_test.rego": "package p_test\n\ntest_r if data.p.r == 1\n",
            "b/q/data.json": '{"x": 1}',
            "b/q/more.json": '{"y": 1}',
            "ok/p/p_test.rego": "package p_test\n\ntest_r if data.q.x == 1\ntest_y if data.q.y\n",
            "ok/q/data.json": '{"x": 1}',
            "ok/q/more.json": '{"y": 1}',
        }
    )
    same(ours, opa, verdicts, "-b", "ok")
    assert ours("test", "-b", "b").code == opa("test", "-b", "b").code == 1


@pytest.mark.parametrize(
    "files",
    [
        {"a.rego": "package a\n\np if {\n"},
        {"a.rego": "package a\n\np if x\n"},
        {"a.rego": "package a\n\np if nonsense(1)\n"},
        {"a.rego": "package a\n\np if q\n\nq if p\n"},
        {"a/data.json": '{"x": 1}', "a/b.json": '{"x": 2}'},
        {"a.json": "[1]"},
        {"a.json": "{"},
        {"a.yaml": "a: [\n"},
        {"a.rego": "package a\n\nold { true }\n"},
    ],
    ids=str,
)
def test_what_cannot_be_tested(
    ours: Runner, opa: Runner, write: Write, files: dict[str, str]
) -> None:
    write(files)
    mine = ours("test", ".")
    assert mine.code == opa("test", ".").code == 1
    assert mine.err.startswith("error: ")
    assert "internal error" not in mine.err


def test_nowhere(ours: Runner, opa: Runner) -> None:
    assert ours("test", "nowhere").code == opa("test", "nowhere").code == 1


def test_a_bad_regular_expression(ours: Runner, opa: Runner, write: Write) -> None:
    write({"a_test.rego": "package a\n\ntest_a if true\n"})
    assert ours("test", ".", "-r", "(").code == opa("test", ".", "-r", "(").code == 1


def test_builtins_that_only_capabilities_know(
    ours: Runner, opa_program: str, opa: Runner, write: Write, verdicts: Verdicts
) -> None:
    """They compile, and can be mocked; calling them is an error.

    Unlike OPA a value may stand in for one: a tool that has the builtin lets it.
    """
    capabilities = opa("capabilities", "--current").json
    own = {"args": [{"type": "string"}], "result": {"type": "any"}, "type": "function"}
    capabilities["builtins"].append({"name": "own.fetch", "decl": own})
    write(
        {
            "caps.json": json.dumps(capabilities),
            "t/p_test.rego": "package p\n\nfetched := own.fetch(`x`)\n\n"
            "test_called if fetched\n\ntest_function if fetched == `xx` with own.fetch as f\n\n"
            "f(x) := concat(``, [x, x])\n\ntest_not_reached if not input.x == fetched\n",
            "v/p_test.rego": "package p\n\ntest_value if own.fetch(`x`) == 1 with own.fetch as 1\n",
        }
    )
    same(ours, opa, verdicts, "--capabilities", "caps.json", "t")
    assert ours("test", "--capabilities", "caps.json", "v").code == 0
    assert ours("test", "t").code == opa("test", "t").code == 1
