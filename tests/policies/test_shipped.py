"""The shipped policies: complete, tested, the same in OPA, with settings that can be given."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adjudge.evaluation import Judge
from adjudge.policyset import PolicySet, RuleSpec, collection_names, load_policy_set, pack_names
from adjudge.rego import RegoErrors, compile_modules
from adjudge.rego.format import format_module
from adjudge.rego.parser.annotations import rule_path
from adjudge.rego.syntax import Module

from .conftest import EXAMPLES, POLICIES

LIBRARY = "lib"


def rule_modules(policies: PolicySet) -> Iterator[tuple[Module, Module]]:
    """Each module that makes findings, with its tests."""
    tests = {module.file: module for module in policies.test_modules}
    for module in policies.modules:
        if f"/{LIBRARY}/" not in module.file:
            yield module, tests[os.path.splitext(module.file)[0] + "_test.rego"]


def all_modules(policies: PolicySet) -> list[Module]:
    """Policies and their tests."""
    return [*policies.modules, *policies.test_modules]


def verdicts(modules: Iterable[Module]) -> dict[str, bool]:
    """Whether each test among the modules passes, by full name."""
    modules = list(modules)
    program = compile_modules({m.file: m for m in modules}, data={})
    names = (
        ".".join(("data", *rule_path(module.package, rule)))
        for module in modules
        for rule in module.rules
        if rule_path(module.package, rule)[-1].startswith("test_")
    )
    return {name: program.rule(name).eval(input={}) is True for name in names}


# --- what every rule says of itself --------------------------------------------------------------


def test_there_are_rules_for_every_kind_in_both_languages(shipped: PolicySet) -> None:
    ids = {rule.id for rule in shipped.rules}
    assert len(ids) >= 60
    kinds = Counter(kind for rule in shipped.rules for kind in rule.applies_to)
    assert set(kinds) == {
        "release",
        "model_card",
        "prompt_bundle",
        "sbom",
        "signed_artifact",
        "weights",
        "dataset",
        "evaluation",
    }
    written = Counter(Path(m.file).suffix for m, _ in rule_modules(shipped))
    assert min(written[".rego"], written[".yaml"]) >= len(ids) / 3


def test_every_rule_says_what_people_need(shipped: PolicySet) -> None:
    for rule in shipped.rules:
        assert rule.has_id, rule.location
        assert rule.title != rule.id, rule.id
        for text in (rule.title, rule.description, rule.remediation):
            assert len(text) > 10, rule.id
            assert "\n" not in text.strip(), rule.id
        assert rule.controls, rule.id


def test_a_file_is_called_after_its_rule(shipped: PolicySet) -> None:
    by_file: dict[str, set[str]] = {}
    for rule in shipped.rules:
        by_file.setdefault(rule.location.file, set()).add(rule.id)
    for file, ids in by_file.items():
        (rule_id,) = ids
        assert Path(file).name.startswith(rule_id.lower() + "-"), file


def test_controls_are_named_one_way(shipped: PolicySet) -> None:
    frameworks = (
        r"eu-ai-act/(\d+(\.\d+|\.[a-z]+)*|annex-[ivx]+(\.\d+(\.[a-z])?)?)"
        r"|nist-ai-rmf/[a-z]+-\d+\.\d+|nist-ai-600-1/(gv|mp|ms|mg)-\d+\.\d+-\d{3}"
        r"|iso-42001/a\.\d+(\.\d+)+|owasp-llm-2025/llm\d\d|mitre-atlas/aml\.m\d{4}"
        r"|soc2/cc\d+\.\d+|gdpr/\d+(\.\d+(\.[a-z])?)?"
    )
    for rule in shipped.rules:
        for control in rule.controls:
            assert re.fullmatch(frameworks, control), (rule.id, control)


def test_nothing_is_doubtful(shipped: PolicySet) -> None:
    doubts = [lint for lint in shipped.lints if lint.code != "policy_file_skipped"]
    assert not doubts


# --- tests of the rules --------------------------------------------------------------------------


def test_the_tests_of_every_rule_pass(shipped: PolicySet) -> None:
    found = verdicts(all_modules(shipped))
    assert len(found) > 200
    assert [name for name, passed in found.items() if not passed] == []


def test_opa_gives_the_same_verdicts(shipped: PolicySet, tmp_path: Path) -> None:
    opa = shutil.which("opa") or str(Path.home() / "go" / "bin" / "opa")
    if not Path(opa).exists():
        pytest.skip("OPA is not installed")
    for index, module in enumerate(all_modules(shipped)):
        (tmp_path / f"{index:03}.rego").write_text(format_module(module), "utf-8")
    run = subprocess.run(
        [opa, "test", "--format", "json", str(tmp_path)], capture_output=True, check=False
    )
    assert not run.stderr, run.stderr
    theirs: list[dict[str, Any]] = json.loads(run.stdout)
    passed = {f"{r['package']}.{r['name']}": not {"fail", "error"} & r.keys() for r in theirs}
    assert passed == verdicts(all_modules(shipped))


def test_every_clause_is_tested(shipped: PolicySet) -> None:
    """Without any one clause that makes findings, a test fails."""
    library = [m for m in shipped.modules if f"/{LIBRARY}/" in m.file]
    untested = []
    for module, tests in rule_modules(shipped):
        mine = {r.location.row for r in shipped.rules if r.location.file == module.file}
        for index, clause in enumerate(module.rules):
            if clause.loc.row not in mine:
                continue
            others = (*module.rules[:index], *module.rules[index + 1 :])
            left = [dataclasses.replace(module, rules=others), tests, *library]
            try:
                found = verdicts(left)
            except RegoErrors:
                continue  # the tests do not even compile without it
            if all(found.values()):
                untested.append(f"{module.file}:{clause.loc.row}")
    assert not untested


# --- collections and settings --------------------------------------------------------------------


def test_collections(shipped: PolicySet) -> None:
    assert set(collection_names(POLICIES)) == {"baseline", "strict"}
    baseline, strict = load_policy_set(["baseline"]), load_policy_set(["strict"])
    places = {(r.id, r.location.row) for r in strict.rules}
    assert places == {(r.id, r.location.row) for r in shipped.rules}
    assert {(r.id, r.location.row) for r in baseline.rules} < places


@pytest.mark.parametrize("pack", pack_names(POLICIES))
def test_every_pack_stands_alone(pack: str) -> None:
    policies = load_policy_set([f"pack:{pack}"])
    assert {rule.pack for rule in policies.rules} == {pack}
    Judge(policies)


def test_given_settings_never_conflict_with_shipped_ones() -> None:
    policies = load_policy_set(["strict"], data=[EXAMPLES / "organisation" / "settings.yaml"])
    judge = Judge(policies)
    merged = judge.program.rule("data.adjudge.settings.merged").eval(input={})
    assert merged["prompts"]["timeout_s"] == 30
    assert merged["prompts"]["temperature"] == 1
    assert "MIT" in merged["licenses"]["allowed"]


def test_no_rule_says_nothing_about_an_artifact_of_which_nothing_is_known(
    shipped: PolicySet,
) -> None:
    """Facts that are missing must be found missing: for an empty card, prompt or manifest each
    rule that asks for something finds something."""
    judge = Judge(shipped)
    silent = []
    for rule in sorted(_asking(shipped), key=lambda r: r.id):
        path = "data." + ".".join((*rule.package.split("."), rule.name))
        value = judge.program.rule(path).eval(input=_NOTHING[rule.applies_to[0]])
        if not value:
            silent.append(rule.id)
    assert not silent


_NOTHING: dict[str, Any] = {
    "model_card": {
        "path": "card.md",
        "facts": {
            "owners": [],
            "license": {"ids": []},
            "metrics": [],
            "datasets": [],
            "training": {},
            "environmental": {},
            "maintenance": {},
        },
        "release": {},
    },
    "prompt_bundle": {
        "path": "p",
        "facts": {
            "model": {"pinned": False},
            "parameters": {},
            "tests": [],
            "output": {"schema_present": False},
            "disclosure": {"present": False},
        },
        "release": {},
    },
    "release": {
        "release": {"manifest": "release.yaml", "version": "1", "suppliers": []},
        "artifacts": [{"kind": "weights", "path": "w"}],
        "model_cards": [],
        "prompt_bundles": [],
        "sboms": [],
    },
    "sbom": {"path": "s", "facts": {"supported": False, "schema_errors": []}},
    "signed_artifact": {"path": "w", "facts": {"verified": False}},
    "weights": {"path": "w", "facts": {"files": [], "problems": []}},
}
_ASKING_TEXT = """
MC-01 MC-02 MC-03 MC-04 MC-05 MC-06 MC-07 MC-08 MC-10 MC-11 MC-13 MC-14 MC-15 MC-16 MC-18 MC-19
PB-01 PB-05 PB-08 PB-09 PB-10 PB-11 SB-01 SG-01 AR-02 RK-01 RK-02 RK-05 RK-06 GV-05
"""
_ASKING = frozenset(_ASKING_TEXT.split())


def _asking(policies: PolicySet) -> Iterator[RuleSpec]:
    seen = set()
    for rule in policies.rules:
        if rule.id in _ASKING and rule.kind == "deny" and rule.id not in seen:
            seen.add(rule.id)
            yield rule
