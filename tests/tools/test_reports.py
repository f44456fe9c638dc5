"""What ``adjudge test`` prints: text, JSON, JUnit's XML, coverage, benchmarks, traces."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.tools.conftest import Runner
from tests.tools.test_verdicts import LIB, TESTS

Write = Callable[[Mapping[str, str]], None]

GOOD = """package good

allow if {
	input.user == "x"
	input.age < 7
}

level := 3 if input.high

else := 4 if input.low

never if {
	input.a
	input.b
}

default role := "none"

role := "admin" if {
	some r in input.roles
	r == "admin"
}
"""

GOOD_TESTS = """package good_test

import data.good

person := {
	"user": "x",
	"age": 3,
}

test_allow if good.allow with input as person

test_role if {
	good.role == "admin" with input as {"roles": ["a", "admin"]}
	good.role == "none" with input as {}
}

test_level if {
	good.level == 3 with input as {"high": true}
	good.level == 4 with input as {"low": true}
}
"""


@pytest.fixture
def good(write: Write) -> None:
    """Tests that pass and cover a part."""
    write({"good/good.rego": GOOD, "good/good_test.rego": GOOD_TESTS})


@pytest.fixture
def mixed(write: Write) -> None:
    """Tests of every kind."""
    write({"lib.rego": LIB, "lib_test.rego": TESTS, "settings/data.json": '{"x": 1}'})


def test_ranges_of_coverage_are_those_of_opa(ours: Runner, opa: Runner, write: Write) -> None:
    write(
        {
            "r.rego": """package r

import data.lib

limit := 3

names := {name | some name in input.names}

p if {
	count(names) < limit
	x := sprintf("%s-%d", [input.a, lib.f(limit)])
	contains(x, input.b.c)
	input.list[count(names)] == "z"
	some y in [1, limit]
	y > 2
	z := $"{input.a} and {y}"
	z == "q and 3"
}
""",
            "lib.rego": "package lib\n\nf(x) := x + data.r.limit if x > 0\n",
            "r_test.rego": """package r_test

import data.r

given := {"a": "q", "b": {"c": "q"}, "list": [0, "z"], "names": ["n"]}

test_p if r.p with input as given
""",
        }
    )
    mine, theirs = ours("test", "-c", "."), opa("test", "-c", ".")
    assert mine.json == theirs.json


def test_nothing_but_counts_when_all_pass(ours: Runner, opa: Runner, good: None) -> None:
    assert ours("test", "good").out == opa("test", "good").out == "PASS: 3/3\n"


def test_verbose_is_that_of_opa(ours: Runner, opa: Runner, good: None) -> None:
    mine, theirs = ours("test", "-v", "good"), opa("test", "-v", "-p", "1", "good")
    assert sorted(mine.lines) == sorted(theirs.lines)


def test_headlines_and_counts_are_those_of_opa(ours: Runner, opa: Runner, mixed: None) -> None:
    def told(lines: list[str]) -> list[str]:
        return sorted(
            re.sub(r" \(.*", "", line)
            for line in lines
            if re.match(r"(data\.|\w+\.rego:\d+:$|PASS|FAIL|ERROR|SKIPPED|    ?  ?\w+: )", line)
        )

    mine, theirs = ours("test", "-v", "."), opa("test", "-v", "-p", "1", ".")
    before = [each.lines[: each.lines.index("FAILURES")] for each in (mine, theirs)]
    assert told(before[0]) == told(before[1])
    assert mine.lines[-4:] == theirs.lines[-4:]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("test_fail", ["x == 2", "  x  1"]),
        ("test_every", ["x < 3", "  x  3"]),
        ("test_not", ["not lib.yes", "  lib.yes  true"]),
        ("test_division", ["1 / 0 == 1", "  1 / 0  is undefined"]),
        ("test_number", ["test_number is not true", "  test_number  3"]),
        ("test_cases", ["three: FAIL", "n < 3", "  n  3"]),
        ("test_case_of", ["bad: FAIL", "  lib.f(2)   4", "  case.want  5"]),
    ],
)
def test_the_failing_expression_is_shown_with_its_values(
    ours: Runner, mixed: None, name: str, shown: list[str]
) -> None:
    lines = [line.rstrip() for line in ours("test", ".", "-r", rf"\.{name}$").lines]
    for each in shown:
        assert any(line.endswith(each) for line in lines), (each, lines)


def test_builtins_that_failed_are_told(ours: Runner, write: Write) -> None:
    write(
        {
            "a_test.rego": "package a\n\ntest_number if to_number(`x`)\n\n"
            "test_sent if http.send({`method`: `get`, `url`: `http://127.0.0.1:1`})\n\n"
            "test_refused if {\n\trequest := {`method`: `get`, `url`: `http://127.0.0.1:1`}\n"
            "\thttp.send(object.union(request, {`raise_error`: false})).status_code == 0\n}\n"
        }
    )
    ran = ours("test", ".")
    assert ran.lines[-2:] == ["PASS: 1/3", "FAIL: 2/3"]
    notes = [line for line in ran.lines if line.startswith("  note: ")]
    assert "a_test.rego:3:16: eval_builtin_error: to_number: strconv" in notes[0]
    assert "tests have no network" in notes[1]


def test_values_can_be_left_out(ours: Runner, mixed: None) -> None:
    out = ours("test", ".", "-r", r"\.test_fail$", "--no-var-values").out
    assert "x == 2" not in out


def test_traces(ours: Runner, mixed: None) -> None:
    out = ours("test", ".", "-r", r"\.test_trace$", "--explain", "notes").out
    assert '| Note "note"' in out


def test_junit(ours: Runner, mixed: None) -> None:
    ran = ours("test", ".", "-f", "junit")
    assert ran.code == 2
    root = ElementTree.fromstring(ran.out)
    (suite,) = root.findall("testsuite")
    assert suite.get("name") == "data.lib_test"
    cases = {case.get("name"): case for case in suite}
    failure = cases["test_fail"].find("failure")
    assert failure is not None
    assert failure.get("message") == "x == 2"
    assert cases["test_cases/three"].find("failure") is not None
    assert cases["test_cases/one"].find("failure") is None
    assert cases["test_error"].find("error") is not None
    assert cases["todo_test_later"].find("skipped") is not None
    assert cases["test_print"].findtext("system-out") == "hello {1, 2} <undefined>"
    for kind in ("failures", "errors", "skipped"):
        assert suite.get(kind) == str(len(suite.findall(f"testcase/{kind.removesuffix('s')}")))
    assert suite.get("tests") == str(len(cases))


def rows(ranges: list[dict[str, Any]]) -> set[int]:
    """The lines of some ranges."""
    return {n for r in ranges for n in range(r["start"]["row"], r["end"]["row"] + 1)}


def test_coverage_is_that_of_opa(ours: Runner, opa: Runner, good: None) -> None:
    mine, theirs = ours("test", "-c", "good"), opa("test", "-c", "good")
    assert mine.code == theirs.code == 0
    a, b = mine.json, theirs.json
    assert set(a) == set(b)
    assert set(a["files"]) == set(b["files"])
    for name, file in a["files"].items():
        other = b["files"][name]
        assert set(file) == set(other)
        for kind in ("covered", "not_covered"):
            assert rows(file.get(kind, [])) == rows(other.get(kind, []))
    for kind in ("covered_lines", "not_covered_lines", "coverage"):
        assert a[kind] == b[kind]


@pytest.mark.parametrize(
    "words",
    [
        ("--threshold", "50"),
        ("--threshold", "99"),
        ("--threshold", "99", "-v"),
        ("-c", "--bench"),
        ("--coverage-runs", "early_exit"),
        ("--format", "gobench"),
        ("--fail-on-empty", "-r", "none"),
    ],
    ids=" ".join,
)
def test_exit_codes_are_those_of_opa(
    ours: Runner, opa: Runner, good: None, words: tuple[str, ...]
) -> None:
    mine, theirs = ours("test", "good", *words), opa("test", "good", *words)
    assert mine.code == theirs.code
    if "--threshold" in words:
        assert mine.err == theirs.err


def test_no_coverage_of_tests_that_fail(ours: Runner, opa: Runner, mixed: None) -> None:
    mine = ours("test", "-c", ".")
    assert mine.code == opa("test", "-c", ".").code == 1
    assert mine.out == ""
    assert "test_fail" in mine.err
    assert ours("test", "-c", ".", "--format", "pretty").code == 1


def test_a_table_of_coverage(ours: Runner, good: None) -> None:
    out = ours("test", "good", "-c", "--format", "pretty").lines
    assert out[0].split() == ["file", "lines", "covered", "not", "covered"]
    assert out[1].split()[-1] == "12-14"
    assert out[-1].startswith("total")


def test_benchmarks(ours: Runner, good: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adjudge.policyset.test_timing.measure.__defaults__", (1_000_000,))
    ran = ours("test", "good", "--bench", "--format", "gobench")
    assert ran.code == 0
    assert (
        len(re.findall(r"^BenchmarkDataGoodTestTest\w+\t +\d+\t +\d+ ns/op$", ran.out, re.M)) == 3
    )
    report = ours("test", "good", "--bench", "--format", "json").json
    assert all(r["benchmark_result"]["N"] > 0 for r in report)


def test_counts_repeat_the_run(ours: Runner, good: None) -> None:
    assert ours("test", "good", "--count", "3").out == "PASS: 3/3\n" * 3


def test_compile_errors_are_cut_to_the_number_asked_for(ours: Runner, write: Write) -> None:
    write({"a.rego": "package a\n\n" + "".join(f"p{n} if x{n}\n" for n in range(20))})
    some, every = ours("test", "."), ours("test", ".", "-m", "0")
    assert some.code == every.code == 1
    assert some.err.count("rego_unsafe_var_error") == 10
    assert "10 more errors" in some.err
    assert every.err.count("rego_unsafe_var_error") == 20


def test_schemas_are_checked(ours: Runner, opa: Runner, write: Write) -> None:
    write(
        {
            "t/a_test.rego": "package a\n\ntest_a if not input.nope\n",
            "schema.json": '{"type": "object", "properties": {"user": {"type": "string"}}}',
        }
    )
    words = ("test", "t", "-s", "schema.json")
    mine = ours(*words)
    assert mine.code == opa(*words).code == 1
    assert "undefined ref: input.nope" in mine.err


@pytest.mark.parametrize("words", [("--watch",), ("-f", "xml"), ("-t", "wasm"), ()], ids=" ".join)
def test_what_cannot_be_asked_for(ours: Runner, good: None, words: tuple[str, ...]) -> None:
    refused = ours("test", *(["good"] if words else []), *words)
    assert refused.code == 2
    assert refused.out == ""
    assert "internal error" not in refused.err


def test_many_tests_are_shared_out_to_processes(ours: Runner, write: Write) -> None:
    """The order and the verdicts do not depend on how many processes there are."""
    write(
        {
            f"t{n}_test.rego": f"package t{n}\n\n"
            + "".join(f"test_{i} if {i} != {n}\n\n" for i in range(30))
            for n in range(8)
        }
    )
    one, two = ours("test", ".", "-v", "-p", "1"), ours("test", ".", "-v", "-p", "2")
    assert one.code == two.code == 2
    assert one.lines == two.lines
    assert one.lines[-2:] == ["PASS: 232/240", "FAIL: 8/240"]


def test_a_process_that_ends_is_told(
    ours: Runner, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        {
            f"t{n}_test.rego": f"package t{n}\n\n"
            + "".join(f"test_{i} if true\n\n" for i in range(150))
            for n in range(2)
        }
    )
    monkeypatch.setattr("adjudge.policyset.test_workers.run_tests", lambda *_, **__: os._exit(9))
    ran = ours("test", ".", "-p", "2")
    assert ran.code == 2
    assert "test_process_ended" in ran.err
