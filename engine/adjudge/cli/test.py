"""``adjudge test``: run the tests of Rego policies, as ``opa test`` does."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import click

from adjudge.cli.terminal import safe
from adjudge.policyset.opa_files import load_opa_files
from adjudge.policyset.testing import TestResult, run_tests


@click.command(
    "test",
    epilog="""\b
Examples:
  adjudge test policies
  adjudge test policies -v -r 'license'
  adjudge test policies --format junit > tests.xml
""",
)
@click.argument("paths", nargs=-1, required=True)
@click.option("-r", "--run", default="", metavar="REGEX", help="Only tests whose name matches.")
@click.option("-v", "--verbose", is_flag=True, help="Show tests that pass, and what they print.")
@click.option(
    "-f", "--format", "format_", type=click.Choice(["pretty", "json", "junit"]), default="pretty"
)
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
def command(
    paths: tuple[str, ...], run: str, verbose: bool, format_: str, v0_compatible: bool
) -> int:
    """Run the tests below PATHS: rules named test_… in Rego files.

    Exit code 0: all passed (skipped ones do not count against it); 2: a test failed or
    could not be evaluated; 1: the files do not compile.
    """
    try:
        re.compile(run)
    except re.error as e:
        raise click.BadParameter(f"not a regular expression: {e}", param_hint="--run") from None
    modules, data = _load(paths, v0_compatible)
    results = run_tests(modules, data, run=run, rego_version=0 if v0_compatible else 1)
    if format_ == "json":
        click.echo(json.dumps([_record(r) for r in results], indent=2))
    elif format_ == "junit":
        click.echo(_junit(results))
    else:
        _pretty(results, verbose)
    return 2 if any(r.outcome in ("FAIL", "ERROR") for r in results) else 0


def _load(paths: tuple[str, ...], v0: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Rego modules, YAML policies as modules, and base documents."""
    files = load_opa_files(paths)
    return dict(files.modules), files.data


def _pretty(results: list[TestResult], verbose: bool) -> None:
    shown = [r for r in results if verbose or r.outcome != "PASS"]
    file = ""
    for r in shown:
        if r.location.file != file:
            file = r.location.file
            click.echo(f"{safe(file)}:")
        click.echo(f"{r.package}.{r.name}: {r.outcome} ({_duration(r.duration_ns)})")
        if r.message:
            click.echo(f"  {safe(r.message)}")
        for line in r.prints:
            click.echo(f"  {safe(line)}")
    if shown:
        click.echo("-" * 80)
    counts = {o: sum(r.outcome == o for r in results) for o in ("PASS", "FAIL", "ERROR", "SKIPPED")}
    for outcome in ("PASS", "FAIL", "ERROR", "SKIPPED"):
        if counts[outcome]:
            click.echo(f"{outcome}: {counts[outcome]}/{len(results)}")
    if not results:
        click.echo("no tests found", err=True)


def _duration(ns: int) -> str:
    if ns < 1_000_000:
        return f"{ns / 1000:.3f}µs"
    return f"{ns / 1e6:.3f}ms"


def _record(r: TestResult) -> dict[str, Any]:
    out: dict[str, Any] = {
        "location": {"file": r.location.file, "row": r.location.row, "col": r.location.col},
        "package": r.package,
        "name": r.name,
        "duration": r.duration_ns,
    }
    if r.outcome == "FAIL":
        out["fail"] = True
    elif r.outcome == "SKIPPED":
        out["skip"] = True
    elif r.outcome == "ERROR":
        out["error"] = {"message": r.message}
    if r.prints:
        out["output"] = "\n".join(r.prints)
    return out


def _junit(results: list[TestResult]) -> str:
    root = ElementTree.Element("testsuites")
    suites: dict[str, ElementTree.Element] = {}
    for r in results:
        suite = suites.get(r.package)
        if suite is None:
            suite = suites[r.package] = ElementTree.SubElement(root, "testsuite", name=r.package)
        case = ElementTree.SubElement(
            suite,
            "testcase",
            name=safe(r.name),
            classname=r.package,
            time=f"{r.duration_ns / 1e9:.6f}",
        )
        if r.outcome == "FAIL":
            ElementTree.SubElement(case, "failure", message="the test is not true")
        elif r.outcome == "ERROR":
            ElementTree.SubElement(case, "error", message=safe(r.message))
        elif r.outcome == "SKIPPED":
            ElementTree.SubElement(case, "skipped")
    for suite in suites.values():
        cases = list(suite)
        suite.set("tests", str(len(cases)))
        suite.set("failures", str(sum(c.find("failure") is not None for c in cases)))
        suite.set("errors", str(sum(c.find("error") is not None for c in cases)))
        suite.set("skipped", str(sum(c.find("skipped") is not None for c in cases)))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")
