"""Test results in, what is shown of them out: text, JSON, JUnit's XML."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from adjudge.cli.opa_options import duration_text
from adjudge.cli.terminal import safe
from adjudge.policyset.coverage import Coverage, spans
from adjudge.policyset.failures import Failure
from adjudge.policyset.test_workers import TestRun
from adjudge.policyset.testing import SubResult, TestResult
from adjudge.source import Location

LINE = "-" * 80


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tests had which outcome; each case of a parametrised test counts."""

    passed: int
    failed: int
    skipped: int
    errors: int

    @property
    def total(self) -> int:
        return self.passed + self.failed + self.skipped + self.errors


def count(results: Sequence[TestResult]) -> Counts:
    """The counts of some results."""
    passed = failed = 0
    for r in results:
        if r.outcome in ("PASS", "FAIL"):
            leaves = [case.failed for _, case in r.leaves] or [r.outcome == "FAIL"]
            failed += sum(leaves)
            passed += len(leaves) - sum(leaves)
    skipped = sum(r.outcome == "SKIPPED" for r in results)
    return Counts(passed, failed, skipped, sum(r.outcome == "ERROR" for r in results))


# -- text ----------------------------------------------------------------------------------


def pretty(run: TestRun, *, verbose: bool, traces: dict[int, str]) -> Iterator[str]:
    """The lines of the report: tests that did not pass (all, when verbose), why they failed,
    and the counts.  ``traces`` are shown with the failures, by place of the test."""
    file = ""
    shown = False
    for r in run.results:
        if not verbose and r.outcome == "PASS":
            continue
        where = r.test.location
        if file and where.file != file:
            yield ""
        file, shown = where.file, True
        yield safe(f"{where.file}:{where.row}:")
        yield safe(headline(r))
        for depth, case in _cases(r.cases, 1):
            if case.failed or verbose:
                yield safe(f"{'  ' * depth}{case.name}: {'FAIL' if case.failed else 'PASS'}")
        yield from _printed(r)
        if r.error is not None:
            yield from (safe(f"  {line}") for line in str(r.error).split("\n"))
    yield from _failures(run, traces)
    if shown:
        yield LINE
    counts = count(run.results)
    for name, number in (
        ("PASS", counts.passed),
        ("FAIL", counts.failed),
        ("SKIPPED", counts.skipped),
        ("ERROR", counts.errors),
    ):
        if number:
            yield f"{name}: {number}/{counts.total}"


def headline(r: TestResult) -> str:
    """``data.pkg.test_x: FAIL (1.2ms)``."""
    spent = "" if r.outcome == "SKIPPED" else f" ({duration_text(r.duration_ns)})"
    return f"{r.test.package}.{r.test.name}: {r.outcome}{spent}"


def _cases(cases: dict[str, SubResult], depth: int) -> Iterator[tuple[int, SubResult]]:
    for key in sorted(cases):
        yield depth, cases[key]
        yield from _cases(cases[key].cases, depth + 1)


def _printed(r: TestResult) -> Iterator[str]:
    if r.prints:
        yield ""
        for text in r.prints:
            yield from (safe(f"  {line}") for line in text.split("\n"))
        yield ""


def _failures(run: TestRun, traces: dict[int, str]) -> Iterator[str]:
    places = [n for n, r in enumerate(run.results) if run.failures.get(n) or n in traces]
    if not places:
        return
    yield from (LINE, "FAILURES", LINE)
    for place in places:
        yield safe(headline(run.results[place]))
        yield ""
        if place in traces:
            yield from (safe(f"  {line}") for line in traces[place].split("\n"))
            yield ""
        for failure in run.failures.get(place, ()):
            yield from (safe(f"  {line}") for line in failure_lines(failure))
            yield ""
        for note in run.results[place].notes:
            yield safe(f"  note: {_one_line(note, 300)}")
        if run.results[place].notes:
            yield ""


def failure_lines(failure: Failure) -> Iterator[str]:
    """The expression at which a test failed, and the values in it."""
    if failure.case:
        yield f"{' / '.join(failure.case)}: FAIL"
    yield f"{failure.location.file}:{failure.location.row}:"
    yield from (f"  {line}" for line in _dedented(failure.text))
    width = max((len(_one_line(name)) for name, _ in failure.values), default=0)
    for name, value in failure.values:
        yield f"    {_one_line(name):<{width}}  {'is undefined' if value is None else value}"


def _one_line(text: str, width: int = 60) -> str:
    joined = " ".join(text.split())
    return joined if len(joined) <= width else joined[: width - 1] + "…"


def _dedented(text: str) -> list[str]:
    """Lines of an expression, without the indentation of all but the first."""
    first, *rest = text.split("\n")
    indents = [len(line) - len(line.lstrip()) for line in rest if line.strip()]
    cut = min(indents, default=0)
    return [first, *(line[cut:] for line in rest)]


def coverage_table(coverage: Coverage) -> Iterator[str]:
    """The coverage of each file, and the lines that were not covered."""
    names = [*sorted(coverage.files), "total"]
    width = max(len(safe(name)) for name in names)
    yield f"{'file':<{width}}  {'lines':>6}  {'covered':>8}  not covered"
    for name in names[:-1]:
        f = coverage.files[name]
        missed = ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans(f.not_covered))
        lines = f.covered_lines + f.not_covered_lines
        yield f"{safe(name):<{width}}  {lines:>6}  {f.percent:>7.2f}%  {missed}".rstrip()
    lines = coverage.covered_lines + coverage.not_covered_lines
    yield f"{'total':<{width}}  {lines:>6}  {coverage.percent:>7.2f}%"


# -- JSON ----------------------------------------------------------------------------------


def record(r: TestResult) -> dict[str, Any]:
    """One result in OPA's shape."""
    out: dict[str, Any] = {
        "location": _location(r.test.location),
        "package": r.test.package,
        "name": r.test.name,
    }
    if r.outcome == "FAIL":
        out["fail"] = True
    if r.error is not None:
        error: dict[str, Any] = {"code": r.error.code, "message": r.error.message}
        if r.error.location is not None:
            error["location"] = _location(r.error.location)
        out["error"] = error
    if r.outcome == "SKIPPED":
        out["skip"] = True
    out["duration"] = r.duration_ns
    if r.prints:
        # OPA's field is an array of bytes, which JSON shows as base64.
        text = "".join(f"{line}\n" for line in r.prints)
        out["output"] = base64.b64encode(text.encode(errors="replace")).decode()
    if r.cases:
        out["sub_results"] = _sub_records(r.cases)
    return out


def _sub_records(cases: dict[str, SubResult]) -> dict[str, Any]:
    out = {}
    for key in sorted(cases):
        case = cases[key]
        entry: dict[str, Any] = {"name": case.name}
        if case.failed:
            entry["fail"] = True
        if case.cases:
            entry["sub_results"] = _sub_records(case.cases)
        out[key] = entry
    return out


def _location(location: Location) -> dict[str, Any]:
    return {"file": location.file, "row": location.row, "col": location.col}


# -- JUnit ---------------------------------------------------------------------------------


def junit(run: TestRun) -> str:
    """JUnit's XML: a suite for each package, a test case for each test and each case."""
    root = ElementTree.Element("testsuites")
    suites: dict[str, ElementTree.Element] = {}
    for place, r in enumerate(run.results):
        suite = suites.get(r.test.package)
        if suite is None:
            suite = ElementTree.SubElement(root, "testsuite", name=safe(r.test.package))
            suites[r.test.package] = suite
        why = {f.case: f for f in run.failures.get(place, ())}
        for name, failed in _junit_cases(r):
            shown = "/".join((r.test.name, *name))
            case = _junit_case(suite, r, shown, len(r.leaves) or 1)
            if r.outcome in ("PASS", "FAIL") and failed:
                _junit_failure(case, why.get(name), r.notes)
    for suite in suites.values():
        _junit_counts(suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def _junit_cases(r: TestResult) -> list[tuple[tuple[str, ...], bool]]:
    return [(name, case.failed) for name, case in r.leaves] or [((), r.outcome == "FAIL")]


def _junit_case(
    suite: ElementTree.Element, r: TestResult, name: str, cases: int
) -> ElementTree.Element:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        name=safe(name),
        classname=safe(r.test.package),
        file=safe(r.test.location.file),
        line=str(r.test.location.row),
        time=f"{r.duration_ns / cases / 1e9:.6f}",
    )
    if r.outcome == "ERROR" and r.error is not None:
        ElementTree.SubElement(case, "error", message=safe(str(r.error)))
    elif r.outcome == "SKIPPED":
        ElementTree.SubElement(case, "skipped")
    if r.prints:
        ElementTree.SubElement(case, "system-out").text = safe("\n".join(r.prints))
    return case


def _junit_failure(
    case: ElementTree.Element, failure: Failure | None, notes: Sequence[str]
) -> None:
    message = "the test is not true"
    element = ElementTree.SubElement(case, "failure")
    if failure is not None:
        message = _one_line(failure.text)
        lines = [*failure_lines(failure), *(f"note: {note}" for note in notes)]
        element.text = safe("\n".join(lines))
    element.set("message", safe(message))


def _junit_counts(suite: ElementTree.Element) -> None:
    cases = list(suite)
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(c.find(tag) is not None for c in cases)))
