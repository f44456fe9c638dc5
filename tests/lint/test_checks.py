"""Each rule of the linter: what it finds, and what it lets stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lint.conftest import HEAD, NOW, Lint

from adjudge.policyset.lint import RULES, SEVERITIES, lint

TOP = HEAD.count("\n")

FOUND = {
    "constant": ('deny contains "a" if false', "deny_cannot_fire"),
    "constants compared": ('deny contains "a" if 1 > 2', "deny_cannot_fire"),
    "negated constant": ('deny contains "a" if not true', "deny_cannot_fire"),
    "two values": (
        'deny contains "a" if {\n\tinput.path == "a"\n\tinput.path == "b"\n}',
        "deny_cannot_fire",
    ),
    "by name": (
        'deny contains "a" if {\n\tp := input.path\n\tp == "a"\n\tp != "a"\n}',
        "deny_cannot_fire",
    ),
    "bounds": (
        'deny contains "a" if {\n\tinput.size > 5\n\tinput.size < 3\n}',
        "deny_cannot_fire",
    ),
    "open bounds": (
        'deny contains "a" if {\n\tinput.size > 5\n\tinput.size <= 5\n}',
        "deny_cannot_fire",
    ),
    "not among": (
        'deny contains "a" if {\n\tinput.path in {"a", "b"}\n\tinput.path == "c"\n}',
        "deny_cannot_fire",
    ),
    "function": ('deny(_) := "a"', "deny_cannot_fire"),
    "through a rule": ('deny contains "a" if never\n\nnever if false', "deny_cannot_fire"),
    "through rules": (
        'deny contains "a" if one\n\none if two\n\ntwo if 1 == 2',
        "deny_cannot_fire",
    ),
    "through a function": (
        'deny contains "a" if f(input.path)\n\nf(x) if {\n\tx == "a"\n\tx == "b"\n}',
        "deny_cannot_fire",
    ),
    "through an empty set": (
        'deny contains x if some x in found\n\nfound contains "a" if false',
        "deny_cannot_fire",
    ),
    "comprehension": (
        'deny contains "a" if count([x | some x in input.facts.tags; x == "a"; x == "b"]) > 1',
        "never_true",
    ),
    "helper": (
        'deny contains "a" if f(input.path)\n\nf("a") if 1 == 2\n\nf("b")',
        "never_true",
    ),
    "enum": ('deny contains "a" if input.facts.format == "html"', "impossible_value"),
    "enum among": ('deny contains "a" if input.facts.format in {"html"}', "impossible_value"),
    "type": ('deny contains "a" if input.facts.name == 1', "impossible_value"),
    "typo": ('deny contains "a" if not input.facts.licence', "unknown_input_path"),
    "typo of an element": (
        'deny contains "a" if {\n\tsome m in input.facts.metrics\n\tm.typo == "x"\n}',
        "unknown_input_path",
    ),
    "field of a text": ('deny contains "a" if input.facts.name.first', "unknown_input_path"),
    "typo behind a name": (
        'deny contains "a" if not card.licence\n\ncard := input.facts',
        "unknown_input_path",
    ),
    "behind names": (
        'deny contains "a" if lic.id != "mit"\n\ncard := input.facts\n\nlic := card.license',
        "fails_open",
    ),
    "no such rule": ('deny contains "a" if data.x.helpr\n\nallow := 1', "unknown_data_path"),
    "number": ("deny contains 1 if input.facts", "finding_invalid"),
    "object": ('deny contains {"text": "a"} if input.facts', "finding_invalid"),
    "list": ('deny contains ["a"] if input.facts', "finding_invalid"),
    "unused rule": ('deny contains "a" if input.facts\n\nhelper := 1', "dead_rule"),
    "not equal": ('deny contains "a" if input.facts.license.id != "mit"', "fails_open"),
    "less": ('deny contains "a" if input.facts.version < "2"', "fails_open"),
    "not of a call": (
        'deny contains "a" if not lower(input.facts.name) in {"b"}',
        "fails_open",
    ),
    "count": (
        'deny contains "a" if {\n\tsome m in input.facts.metrics\n\tcount(m.slice) == 0\n}',
        "fails_open",
    ),
    "bound before": (
        'deny contains "a" if {\n\tname := input.facts.name\n\tname != "b"\n}',
        "fails_open",
    ),
    "not a pattern": ('deny contains "a" if regex.match("(", input.path)', "regex_invalid"),
    "look-behind": ('deny contains "a" if regex.match("(?<=a)b", input.path)', "regex_invalid"),
    "large pattern": (
        'deny contains "a" if regex.match(`(\\pL{30}){3}`, input.path)',
        "regex_costly",
    ),
    "their pattern": (
        'deny contains "a" if regex.match(input.facts.name, "x")',
        "regex_from_input",
    ),
    "network": ('deny contains "a" if http.send({"url": "u"}).status', "withheld_builtin"),
    "print": ('deny contains "a" if {\n\tprint(input.path)\n\tinput.facts\n}', "print_call"),
    "import": ('import data.y\n\ndeny contains "a" if input.facts', "unused_import"),
    "variable": ('deny contains "a" if {\n\tv := 1\n\tinput.facts\n}', "unused_variable"),
    "argument": (
        'deny contains "a" if f(1)\n\nf(v) if input.facts',
        "unused_argument",
    ),
    "rule like a builtin": (
        'deny contains "a" if count\n\ncount if input.facts',
        "shadowed_builtin",
    ),
    "variable like a builtin": (
        "deny contains max if {\n\tmax := input.path\n}",
        "shadowed_builtin",
    ),
    "camel case": ('deny contains "a" if isBad\n\nisBad if input.facts', "naming"),
}

CLEAN = {
    "a finding": 'deny contains "a" if not input.facts.name',
    "equal": 'deny contains "a" if input.facts.license.id == "other"',
    "absence elsewhere": (
        'deny contains "a" if input.facts.name != "b"\n\ndeny contains "c" if not input.facts.name'
    ),
    "default": 'deny contains "a" if object.get(input.facts, "name", "") != "b"',
    "required": 'deny contains "a" if input.path != "b"',
    "empty": 'deny contains "a" if count(input.facts.tags) == 0',
    "present": 'deny contains "a" if count(input.facts.name) > 10',
    "elements apart": (
        'deny contains "a" if {\n\tinput.facts.tags[_] == "a"\n\tinput.facts.tags[_] == "b"\n}'
    ),
    "bounds that meet": 'deny contains "a" if {\n\tinput.size > 3\n\tinput.size < 5\n}',
    "else": 'deny contains f(input.path) if input.facts\n\nf(_) := 1 if false\n\nelse := "b"',
    "enum": 'deny contains "a" if input.facts.format == "markdown"',
    "an empty set as a whole": (
        'deny contains "a" if found == set()\n\n'
        '# adjudge:ignore never_true: to be filled\nfound contains "a" if false'
    ),
    "not an empty rule": (
        'deny contains "a" if not never\n\n# adjudge:ignore never_true: a switch\nnever if false'
    ),
    "free document": 'deny contains "a" if input.document.anything.at_all',
    "entry point": (
        'deny contains "a" if input.facts\n\n# METADATA\n# entrypoint: true\nasked := 1'
    ),
    "pattern from data": 'deny contains "a" if regex.match(data.patterns.p, input.path)',
    "default function": "deny contains f(1) if input.facts\n\ndefault f(_) := 0\n\nf(v) := v",
    "default argument": "deny contains f(1) if input.facts\n\ndefault f(v) := 0\n\nf(v) := v",
    "wildcard": 'deny contains "a" if f(1)\n\nf(_) if input.facts',
    "conditions under with": 'deny contains "a" if input.path == "a" with input.path as "b"',
}


@pytest.mark.parametrize("name", FOUND)
def test_what_is_wrong_is_found(linted: Lint, name: str) -> None:
    text, code = FOUND[name]
    findings = linted(text)
    assert code in {f.code for f in findings}
    for finding in findings:
        assert finding.location is not None
        assert finding.location.row > TOP
        assert finding.source
        assert finding.message


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_right_is_let_stand(linted: Lint, name: str) -> None:
    assert linted(CLEAN[name]) == []


def test_the_place_is_that_of_the_expression(linted: Lint) -> None:
    (finding,) = linted('deny contains "a" if {\n\tinput.facts\n\tinput.facts.name != "b"\n}')
    assert (finding.location or ())[1:] == (TOP + 3, 2)
    assert "input.facts.name may be missing" in finding.message


def test_a_typo_is_told_with_what_was_meant(linted: Lint) -> None:
    (finding,) = linted('deny contains "a" if not input.facts.licence')
    assert finding.hint == "did you mean license?"


def test_artifacts_are_told_by_their_kind(linted: Lint) -> None:
    head = HEAD.replace("applies_to: model_card, ", "")
    body = (
        'deny contains "a" if {\n\tsome a in input.artifacts\n\ta.kind == "sbom"\n'
        "\tsome c in a.facts.components\n\tnot c.hashes.sha256\n}\n"
    )
    assert linted({"p.rego": head + body}) == []
    typo = body.replace("components", "parts")
    assert [f.code for f in linted({"p.rego": head + typo})] == ["unknown_input_path"]


def test_other_inputs_are_not_held_against_our_schemas(linted: Lint) -> None:
    text = 'package main\n\ndeny contains "a" if input.spec.replicas != 3\n'
    found = {f.code: f.severity for f in linted({"p.rego": text})}
    assert "unknown_input_path" not in found
    assert found["fails_open"] == "notice"
    assert found["metadata_missing"] == "warning"


def test_helpers_of_libraries_are_not_dead(linted: Lint) -> None:
    library = "package lib\n\nused := 1\n\nspare := 2\n"
    assert linted({"p.rego": HEAD + 'deny contains "a" if data.lib.used', "l.rego": library}) == []


def test_a_rule_that_only_tests_use_is_dead(linted: Lint) -> None:
    files = {
        "p.rego": HEAD + 'deny contains "a" if input.facts\n\nhelper := 1\n',
        "p_test.rego": "package x_test\n\ntest_a if data.x.helper == 1\n",
    }
    (finding,) = linted(files)
    assert finding.code == "dead_rule"
    assert "only tests use it" in finding.message


def test_tests_may_stand_beside_the_rules(linted: Lint) -> None:
    rule = 'deny contains "a" if input.facts\n\nhelp_tests := 1\n\n'
    text = f"{rule}test_a if deny with input as help_tests\n"
    assert [f.code for f in linted({"p.rego": HEAD + text}, tested=False)] == ["dead_rule"]


def test_a_rule_without_a_test_is_found_once(linted: Lint) -> None:
    text = HEAD + 'deny contains "a" if input.facts\n\ndeny contains "b" if input.path\n'
    found = linted({"p.rego": text}, tested=False)
    assert [f.code for f in found] == ["untested_rule"]
    tested = {"p.rego": text, "p_test.rego": "package x_test\n\ntest_a if data.x.deny\n"}
    assert linted(tested, tested=False) == []


def test_metadata_is_asked_for(linted: Lint) -> None:
    text = 'package x\n\n# METADATA\n# custom: {id: A-1}\ndeny contains "a" if input.release\n'
    found = {f.code: f.message for f in linted({"p.rego": text})}
    assert found == {
        "metadata_missing": "deny has no title and severity",
        "metadata_incomplete": "deny has no remediation and controls",
    }


def test_wrong_metadata_does_not_keep_from_looking_further(linted: Lint) -> None:
    head = HEAD.replace("severity: low", "severity: HIGH")
    found = linted({"p.rego": head + 'deny contains "a" if input.facts\n\nhelper := 1\n'})
    assert [(f.code, f.severity) for f in found] == [
        ("policy_metadata_invalid", "error"),
        ("dead_rule", "warning"),
    ]


def test_ids_are_given_once(linted: Lint) -> None:
    other = HEAD.replace("title: T", "title: U").replace("package x", "package main")
    text = 'deny contains "a" if input.facts\n'
    found = linted({"p.rego": HEAD + text, "q.rego": other + text})
    assert [(f.code, f.severity) for f in found] == [("policy_id_duplicate", "error")]


def test_frameworks_and_dates(linted: Lint) -> None:
    head = HEAD.replace("soc2/cc9.2", "eu-ai-atc/13, ours/1, owasp-llm-2026/llm01").replace(
        "severity: low", 'severity: low, effective_from: "2026-01-01"'
    )
    found = linted({"p.rego": head + 'deny contains "a" if input.facts\n'})
    assert [f.code for f in found] == ["effective_from_past", "unknown_framework"]
    assert found[1].hint == "did you mean eu-ai-act?"


YAML = """apiVersion: adjudge/v1
kind: Policy
metadata: {id: Y-1, title: T, severity: low, remediation: r, controls: [soc2/cc9.2]}
applies_to: model_card
deny:
  - message: m
    when: {path: facts.name, matches: "WHAT"}
"""


def test_yaml_policies_are_linted(linted: Lint) -> None:
    assert linted({"y.yaml": YAML}) == []
    assert [f.code for f in linted({"y.yaml": YAML.replace("WHAT", "a{900}b{900}")})] == [
        "regex_costly"
    ]
    bare = YAML.replace(", severity: low, remediation: r, controls: [soc2/cc9.2]", "")
    assert [f.code for f in linted({"y.yaml": bare})] == [
        "metadata_incomplete",
        "metadata_missing",
    ]
    silent = YAML.replace('matches: "WHAT"', "before: '2020-01-01'")
    assert [f.code for f in linted({"y.yaml": silent})] == ["yaml_policy_missing_not_noticed"]


def test_a_v0_module_is_linted(tmp_path: Path) -> None:
    (tmp_path / "p.rego").write_text("package x\n\ndeny[msg] { any([input.a]); msg := input.b }\n")
    found = {f.code for f in lint([tmp_path], now_ns=NOW, v0=True).findings}
    assert found == {
        *("metadata_missing", "metadata_incomplete"),
        *("deprecated_builtin", "untested_rule"),
    }


def test_every_rule_of_the_catalogue_is_found_by_some_test() -> None:
    told = {code for _, code in FOUND.values()}
    elsewhere = {
        *("metadata_missing", "metadata_incomplete", "unknown_framework"),
        *("effective_from_past", "untested_rule", "deprecated_builtin"),
        *("suppression_without_reason", "suppression_unknown", "suppression_unused"),
    }
    assert told | elsewhere == set(RULES)
    assert {r.severity for r in RULES.values()} == set(SEVERITIES)


def test_yaml_policies_need_tests(linted: Lint) -> None:
    assert [f.code for f in linted({"y.yaml": YAML}, tested=False)] == ["untested_rule"]
