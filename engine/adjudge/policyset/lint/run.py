"""Names, files and folders of policies in, everything doubtful about them out."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from adjudge.errors import AdjudgeError, ErrorList
from adjudge.policyset.lint import about, inputs, suppressions, text, truth
from adjudge.policyset.lint.catalogue import Severity
from adjudge.policyset.lint.model import Finding, Subject
from adjudge.policyset.loading import load_policy_set
from adjudge.policyset.model import PolicySet
from adjudge.policyset.opa_files import read_text
from adjudge.rego.capabilities import Capabilities, all_capabilities
from adjudge.rego.errors import RegoError
from adjudge.rego.parser import parse_module
from adjudge.rego.passes import run_passes
from adjudge.rego.passes.model import Compilation
from adjudge.rego.plan import rules
from adjudge.rego.syntax import Module

CHECKS: Final[tuple[Callable[[Subject], Iterator[Finding]], ...]] = (
    truth.check,
    inputs.check,
    about.check,
    text.check,
)

MAX_FINDINGS: Final = 10_000

_UNUSED: Final = re.compile(r"(?:assigned|declared) var (\S+) unused")

# Lints of loading that a rule here tells more precisely.
_TOLD: Final = frozenset({"rule_without_id"})
# What is wrong with METADATA, which other commands refuse.
_REFUSED: Final = frozenset({"policy_metadata_invalid", "policy_id_duplicate"})
# What says that there is nothing to lint, rather than what is wrong with it.
_UNUSABLE: Final = frozenset(
    {
        *("no_policies", "not_a_policy", "policies_not_found", "unknown_policies"),
        *("shipped_policies_missing", "too_many_policy_files", "file_not_found"),
    }
)


@dataclass(frozen=True, slots=True)
class LintReport:
    """What was found, by file and line; ``files`` were looked at.

    ``whole`` is false when the policies did not compile: then only the compiler has spoken.
    """

    findings: tuple[Finding, ...]
    files: int
    whole: bool = True


def lint(
    sources: Sequence[str | Path],
    *,
    now_ns: int,
    data: Iterable[str | Path] = (),
    disabled: Collection[str] = (),
    v0: bool = False,
    capabilities: Capabilities | None = None,
    schemas: Mapping[str, Any] | None = None,
) -> LintReport:
    """Lint the policies called ``sources`` (as :func:`load_policy_set` knows them).

    ``now_ns`` is what dates are compared with, in nanoseconds since 1970.  ``disabled`` are
    codes that are not told.  ``capabilities`` and ``schemas`` (by name) are what the
    compiler checks with.  Raises InputError ``no_policies``, ``policies_not_found`` and so
    on when there is nothing to lint.
    """
    try:
        policies = load_policy_set(sources, data=data, v0=v0, metadata_errors="keep")
        tests = [*policies.test_modules, *_tests_beside(sources, policies, v0)]
        granted = capabilities or all_capabilities()
        comp = _compiled([*policies.modules, *tests], granted, schemas)
    except AdjudgeError as error:
        errors = error.errors if isinstance(error, ErrorList) else [error]
        if any(e.code in _UNUSABLE or not _about_text(e) for e in errors):
            raise
        found = [_of_error(e, "error") for e in errors]
        return LintReport(tuple(sorted(found, key=lambda f: f.order)), _files_of(found), False)
    subject = Subject(policies, tuple(tests), comp, now_ns)
    findings = [finding for check in CHECKS for finding in check(subject)]
    findings += _strict(subject)
    for lint_ in policies.lints:
        if lint_.code not in _TOLD:
            severity: Severity = "error" if lint_.code in _REFUSED else "warning"
            findings.append(_of_error(lint_, severity))
    kept = {f.order: f for f in suppressions.apply(subject, findings) if f.code not in disabled}
    ordered = tuple(kept[order] for order in sorted(kept))
    return LintReport(ordered[:MAX_FINDINGS], len(policies.files) + len(tests))


def _about_text(error: AdjudgeError) -> bool:
    """Whether an error is about what a policy file says."""
    return isinstance(error, RegoError) or error.location is not None


def _files_of(findings: Iterable[Finding]) -> int:
    return len({f.location.file for f in findings if f.location is not None})


def _of_error(error: AdjudgeError, severity: Severity) -> Finding:
    if error.code == "policy_file_skipped":
        severity = "notice"
    return Finding(error.code, severity, error.message, error.location, error.hint, error.source)


def _tests_beside(sources: Sequence[str | Path], policies: PolicySet, v0: bool) -> Iterator[Module]:
    """The tests of policies that were named file by file."""
    known = {m.file for m in policies.test_modules}
    for source in sources:
        stem, suffix = os.path.splitext(source)
        beside = Path(f"{stem}_test.rego")
        if suffix in (".rego", ".yaml", ".yml") and beside.is_file() and str(beside) not in known:
            known.add(str(beside))
            yield parse_module(read_text(beside), str(beside), 0 if v0 else 1)


def _compiled(
    modules: Sequence[Module],
    capabilities: Capabilities,
    schemas: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Compilation:
    """The modules, checked as the compiler does; raises ``RegoErrors`` unless ``strict``."""
    comp = Compilation(list(modules), capabilities, strict)
    comp.sources = {m.file: m.source for m in modules}
    comp.schemas = schemas
    run_passes(comp)
    if not comp.errors and not strict:
        rules.plan_program(comp)
    if comp.errors and not strict:
        raise ErrorList(comp.errors)
    return comp


def _strict(subject: Subject) -> Iterator[Finding]:
    """What the compiler refuses under ``--strict`` besides."""
    granted = subject.comp.capabilities
    comp = _compiled([*subject.modules, *subject.tests], granted, strict=True)
    for error in comp.errors:
        place = error.location
        if place is None or not place.row:
            continue  # generated, for a YAML policy
        found = _UNUSED.match(error.message)
        if found:
            message = f"nothing uses the variable {found[1]}"
            yield subject.finding("unused_variable", message, place, "remove it, or write _")


def counted(findings: Iterable[Finding]) -> Mapping[str, int]:
    """How many findings there are of each severity, errors first."""
    counts = {"error": 0, "warning": 0, "notice": 0}
    for finding in findings:
        counts[finding.severity] += 1
    return counts
