"""docs/reference/controls.md says what the policies say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from adjudge.evaluation import Judge
from adjudge.gate.frameworks import framework_names, load_framework
from adjudge.policyset import PolicySet, load_policy_set

from .conftest import ROOT

PAGE = (ROOT / "docs" / "reference" / "controls.md").read_text("utf-8")
STRENGTHS = {"implements", "supports", "evidence-for"}
SEVERITIES = ("low", "medium", "high", "critical")


def rows(heading: str) -> Iterator[list[str]]:
    """The cells of the rows of every table that begins with a column of that name."""
    for table in re.findall(rf"^\| {heading} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE):
        for line in table.splitlines():
            yield [cell.strip() for cell in line.strip("|").split("|")]


def test_every_rule_is_listed_as_it_is(shipped: PolicySet) -> None:
    listed = {row[0]: row[1:] for row in rows("rule") if len(row) == 6}
    baseline = {rule.id for rule in load_policy_set(["baseline"]).rules}
    assert listed.keys() == {rule.id for rule in shipped.rules}
    for rule_id, (title, kinds, severity, in_baseline, controls) in listed.items():
        clauses = [rule for rule in shipped.rules if rule.id == rule_id]
        assert {rule.title for rule in clauses} == {title}
        assert set(kinds.split(", ")) == {k for rule in clauses for k in rule.applies_to}, rule_id
        worst = max((rule.severity for rule in clauses), key=SEVERITIES.index)
        assert severity == worst, rule_id
        assert (in_baseline == "yes") == (rule_id in baseline), rule_id
        named = re.findall(r"`([^`]+)`", controls)
        assert sorted(named) == sorted(clauses[0].controls), rule_id
        given = [part.split(":")[0].strip() for part in controls.split(";")]
        assert set(given) <= STRENGTHS, rule_id


def test_every_framework_is_explained(shipped: PolicySet) -> None:
    explained = {row[0].strip("`/") for row in rows("prefix")}
    used = {control.split("/")[0] for rule in shipped.rules for control in rule.controls}
    assert explained == used


def test_frameworks_map_rules_as_the_page_says() -> None:
    said: dict[str, dict[str, str]] = {}
    for row in rows("rule"):
        for part in row[5].split(";") if len(row) == 6 else ():
            strength, _, named = part.strip().partition(":")
            for control in re.findall(r"`([^`]+)`", named):
                said.setdefault(control, {})[row[0]] = strength
    mapped = {
        f"{framework.id}/{control.id}": dict(control.rules)
        for framework in map(load_framework, framework_names())
        for control in framework.controls
        if control.rules
    }
    assert mapped == said


def test_every_date_is_listed(shipped: PolicySet) -> None:
    listed = {rule: row[1] for row in rows("rule") if len(row) == 3 for rule in row[0].split(", ")}
    assert listed == {r.id: r.effective_from for r in shipped.rules if r.effective_from}


def test_every_setting_is_listed(shipped: PolicySet) -> None:
    evaluate = Judge(shipped).program.rule
    defaults: dict[str, Any] = evaluate("data.adjudge.settings.defaults").eval(input={})
    optional: dict[str, Any] = evaluate("data.adjudge.settings.optional").eval(input={})
    types = {list: "array", dict: "object", bool: "boolean", int: "number", float: "number"}
    known = {f"{a}.{b}": types[type(v)] for a, vs in defaults.items() for b, v in vs.items()}
    known |= {f"{a}.{b}": kind for a, vs in optional.items() for b, kind in vs.items()}
    listed = {row[0].strip("`"): row[1:] for row in rows("setting")}
    assert {name: row[0] for name, row in listed.items()} == known
    texts = {m.package[-1]: m.source for m in shipped.modules}
    for name, row in listed.items():
        section, _, key = name.partition(".")
        for rule in row[2].split(", "):
            text = texts[rule.lower().replace("-", "_")]
            assert f"settings.{section}" in text, (name, rule)
            assert key in text or "settings.prompts[name]" in text, (name, rule)
        if defaults.get(section, {}).get(key) and row[0] == "array":
            count = re.match(r"(\d+) ", row[1])
            assert count is None or int(count[1]) == len(defaults[section][key]), name
        if row[0] == "number":
            assert float(row[1]) == defaults[section][key], name
