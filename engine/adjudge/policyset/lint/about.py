"""The rules' METADATA and the tests in; what they do not say or do not cover out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from adjudge.policyset.lint.model import Finding, Subject, is_yaml
from adjudge.policyset.model import RuleSpec
from adjudge.rego.passes.metadata import MetadataIndex
from adjudge.rego.passes.model import Path
from adjudge.rego.syntax import Module, Rule
from adjudge.yamlpolicy.problems import close_match

FRAMEWORKS: Final = (
    *("eu-ai-act", "nist-ai-rmf", "nist-ai-600-1", "iso-42001", "owasp-llm-2025"),
    *("mitre-atlas", "soc2", "gdpr"),
)
"""Frameworks whose misspellings are told; others are nobody's mistake."""

_NEEDED: Final = ("id", "title", "severity")
_WELCOME: Final = ("remediation", "controls")


def check(subject: Subject) -> Iterator[Finding]:
    """Findings ``metadata_*``, ``unknown_framework``, ``effective_from_past`` and
    ``untested_rule``."""
    index = MetadataIndex(subject.modules)
    tested = _tested(subject)
    rules = {rule.loc: rule for module in subject.modules for rule in module.rules}
    ids: set[str] = set()
    paths: set[Path] = set(tested)
    for spec in subject.specs:
        if spec.id not in ids:
            ids.add(spec.id)
            given = _given(index, subject.by_file[spec.location.file], rules[spec.location])
            yield from _metadata(subject, spec, given)
        if spec.path not in paths:
            paths.add(spec.path)
            yield from _untested(subject, spec)


def _given(index: MetadataIndex, module: Module, rule: Rule) -> Mapping[str, Any]:
    """What the METADATA blocks of a rule say, all of them together."""
    given: dict[str, Any] = {}
    for _, block in index.chain(module, rule):
        if block is not None:
            custom = block.fields.get("custom")
            given |= custom if isinstance(custom, dict) else {}
            given |= {"title": block.fields["title"]} if block.fields.get("title") else {}
    if "short_name" in given:
        given["id"] = given["short_name"]
    return given


def _metadata(subject: Subject, spec: RuleSpec, given: Mapping[str, Any]) -> Iterator[Finding]:
    yaml = is_yaml(subject.by_file[spec.location.file])
    for code, wanted in (("metadata_missing", _NEEDED), ("metadata_incomplete", _WELCOME)):
        missing = [name for name in wanted if not given.get(name)]
        if missing:
            yield subject.finding(
                code,
                f"{spec.name} has no {_listed(missing)}",
                spec.location,
                _where(missing, yaml),
            )
    for control in spec.controls:
        framework = control.partition("/")[0]
        near = close_match(framework, FRAMEWORKS, 0.8)
        if near and near != framework and not _edition(near, framework):
            yield subject.finding(
                "unknown_framework",
                f"the control {control} is of no known framework",
                spec.location,
                f"did you mean {near}?",
            )
    if spec.effective_ns is not None and spec.effective_ns <= subject.now_ns:
        yield subject.finding(
            "effective_from_past",
            f"{spec.id} is in force since {spec.effective_from}",
            spec.location,
            "remove effective_from",
        )


def _edition(known: str, given: str) -> bool:
    """Whether two names differ in their numbers only: another edition, not a mistake."""
    return re.sub(r"[0-9]+", "", known) == re.sub(r"[0-9]+", "", given)


def _where(missing: list[str], yaml: bool) -> str:
    if yaml:
        return f"say it under metadata: {', '.join(missing)}"
    names = ", ".join(m if m == "title" else f"custom.{m}" for m in missing)
    return f"say it in the METADATA of the rule or its package: {names}"


def _listed(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _tested(subject: Subject) -> set[Path]:
    """The rules that tests reach."""
    comp = subject.comp
    found = {p for p, g in comp.groups.items() if subject.is_test(g)}
    queue = list(found)
    while queue:
        for target in comp.graph.get(queue.pop(), ()):
            if target not in found:
                found.add(target)
                queue.append(target)
    return found


def _untested(subject: Subject, spec: RuleSpec) -> Iterator[Finding]:
    stem = spec.location.file.rpartition("/")[2].rpartition(".")[0]
    yield subject.finding(
        "untested_rule",
        f"no test reaches {spec.name} of {spec.package}",
        spec.location,
        f"write {stem}_test.rego beside it; `adjudge test` runs it",
    )
