"""``adjudge test``: run the tests of Rego policies, as ``opa test`` does."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from adjudge.cli import test_report
from adjudge.cli.opa_options import Duration, complain, read_capabilities, split_list, unheeded
from adjudge.cli.terminal import safe
from adjudge.errors import AdjudgeError
from adjudge.policyset.coverage import Coverage, coverage, spans
from adjudge.policyset.failures import Explainer
from adjudge.policyset.opa_files import load_opa_files, load_schemas
from adjudge.policyset.test_workers import Job, TestRun, usable_processors, work
from adjudge.policyset.testing import TestCase, TestSet, compile_tests, matching
from adjudge.rego.probes import Probed, probe_all

DEFAULT_SECONDS = 5.0
BENCH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command was asked for besides the files."""

    verbose: bool
    format: str
    seconds: float
    processes: int
    values: bool
    explain: str | None
    threshold: float
    exit_zero_on_skipped: bool
    fail_on_empty: bool
    sort: str


@click.command(
    "test",
    epilog="""\b
Examples:
  adjudge test policies
  adjudge test policies -v -r 'license'
  adjudge test policies --format junit > tests.xml
  adjudge test policies --coverage --format pretty --threshold 90
""",
)
@click.argument("paths", nargs=-1, required=True)
@click.option("-r", "--run", default="", metavar="REGEX", help="Only tests whose name matches.")
@click.option("-v", "--verbose", is_flag=True, help="Show tests that pass, too.")
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["pretty", "json", "junit", "gobench"]),
    help="How to show the results (default: pretty; json with --coverage).",
)
@click.option("-c", "--coverage", "cover", is_flag=True, help="Report which lines were covered.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    default=0.0,
    metavar="PERCENT",
    help="Exit 2 when fewer lines were covered.",
)
@click.option("--count", type=click.IntRange(1), default=1, help="Run the tests so many times.")
@click.option("--bench", is_flag=True, help="Measure the tests that pass.")
@click.option(
    "--timeout",
    type=Duration(),
    help="How long one test may take (default: 5s, 30s with --bench).",
)
@click.option(
    "-p",
    "--parallel",
    type=click.IntRange(0),
    default=0,
    help="Processes that many tests are shared out to (0: one a processor).",
)
@click.option("-b", "--bundle", is_flag=True, help="PATHS are bundles: archives or directories.")
@click.option(
    "--ignore",
    multiple=True,
    callback=split_list,
    metavar="PATTERN",
    help="Leave out files and directories with such names.",
)
@click.option("-z", "--exit-zero-on-skipped", is_flag=True, help="Skipped tests do not fail.")
@click.option("--fail-on-empty", is_flag=True, help="Exit 1 when there is no test to run.")
@click.option("--sort", type=click.Choice(["none", "duration"]), default="none", help="Of JSON.")
@click.option(
    "--var-values/--no-var-values",
    "values",
    default=True,
    help="Show where tests failed, and the values there (default: yes).",
)
@click.option(
    "--explain",
    type=click.Choice(["fails", "notes", "full", "debug"]),
    help="Show how tests that failed were evaluated.",
)
@click.option("--capabilities", type=click.Path(), metavar="FILE", help="Builtins to grant.")
@click.option(
    "-t", "--target", type=click.Choice(["rego"]), default="rego", help="There is only one."
)
@click.option("-s", "--schema", metavar="PATH", help="JSON schemas for the compiler to check with.")
@click.option(
    "-m",
    "--max-errors",
    type=click.IntRange(0),
    default=10,
    metavar="N",
    help="Show so many compile errors (default: 10; 0: all).",
)
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
@unheeded("--benchmem/--no-benchmem")
@unheeded("--v1-compatible", is_flag=True)
@click.option("--coverage-runs", multiple=True, hidden=True, help="The same as --coverage.")
def command(
    paths: tuple[str, ...],
    run: str,
    format_: str | None,
    cover: bool,
    count: int,
    bench: bool,
    timeout: float | None,
    max_errors: int,
    **rest: Any,
) -> int:
    """Run the tests below PATHS: rules named test_… in Rego files.

    Exit code 0: all passed; 2: a test failed, was skipped or could not be evaluated, or
    too few lines were covered; 1: the files do not compile, or there is no coverage because
    a test failed.
    """
    try:
        found = _found(paths, rest)
        tests = matching(found.tests, run)
    except AdjudgeError as e:
        complain(e, max_errors)
        return 1
    except re.error as e:
        click.echo(f"error: --run is not a regular expression: {e}", err=True)
        return 1
    cover |= bool(rest.pop("coverage_runs")) or rest["threshold"] > 0
    if bench and cover:
        click.echo("error: coverage reporting is not supported when benchmarking tests", err=True)
        return 1
    shown = format_ or ("json" if cover else "pretty")
    if shown == "gobench" and not bench:
        click.echo("error: --format gobench is for benchmarks (--bench)", err=True)
        return 0
    wanted = _wanted(shown, timeout or (BENCH_SECONDS if bench else DEFAULT_SECONDS), **rest)
    do = _bench if bench else _cover if cover else _test
    for _ in range(count):
        code = do(found, tests, wanted)
        if code:
            return code
    return 0


def _found(paths: tuple[str, ...], options: dict[str, Any]) -> TestSet:
    """The compiled tests; takes the options it heeds out of ``options``."""
    version = 0 if options.pop("v0_compatible") else 1
    bundle, schema = options.pop("bundle"), options.pop("schema")
    capabilities = read_capabilities(options.pop("capabilities"))
    options.pop("target")
    files = load_opa_files(
        () if bundle else paths,
        bundles=paths if bundle else (),
        ignore=options.pop("ignore"),
        rego_version=version,
    )
    return compile_tests(
        files.modules,
        files.data,
        capabilities=capabilities,
        rego_version=version,
        schemas=None if schema is None else load_schemas(schema),
    )


def _wanted(format_: str, seconds: float, parallel: int, **rest: Any) -> Wanted:
    rest["verbose"] = rest["verbose"] or rest["explain"] is not None
    return Wanted(
        format=format_, seconds=seconds, processes=parallel or usable_processors(), **rest
    )


def _exit_code(run: TestRun, wanted: Wanted) -> int:
    outcomes = {r.outcome for r in run.results}
    passing = {"PASS", "SKIPPED"} if wanted.exit_zero_on_skipped else {"PASS"}
    return 2 if outcomes - passing else 0


def _explainer(found: TestSet, wanted: Wanted) -> Explainer | None:
    if not wanted.values:
        return None
    return Explainer({m.file: m for m in found.modules}, wanted.seconds)


def _echo(lines: Iterable[str], *, err: bool = False) -> None:
    for line in lines:
        click.echo(line, err=err)


# -- verdicts ------------------------------------------------------------------------------


def _test(found: TestSet, tests: Sequence[TestCase], wanted: Wanted) -> int:
    explain = None if wanted.format == "json" else _explainer(found, wanted)
    run = work(Job(found.program, tests, wanted.seconds, explain), wanted.processes)
    if wanted.format == "json":
        results = run.results
        if wanted.sort == "duration":
            results = sorted(results, key=lambda r: r.duration_ns)
        click.echo(json.dumps([test_report.record(r) for r in results], indent=2))
    elif wanted.format == "junit":
        click.echo(test_report.junit(run))
    else:
        traces = _traces(found, run, wanted)
        _echo(test_report.pretty(run, verbose=wanted.verbose, traces=traces))
    if not tests:
        click.echo("no tests were run", err=True)
        return 1 if wanted.fail_on_empty else 0
    return _exit_code(run, wanted)


def _traces(found: TestSet, run: TestRun, wanted: Wanted) -> dict[int, str]:
    if wanted.explain is None:
        return {}
    # Tracing is a module that few runs need.
    from adjudge.policyset.test_traces import trace_of
    from adjudge.rego.tracing import watch_rules

    probed = probe_all(found.program)
    watch_rules(probed.program)
    return {
        place: safe(trace_of(probed, result.test, wanted.explain, wanted.seconds))
        for place, result in enumerate(run.results)
        if result.outcome in ("FAIL", "ERROR")
    }


# -- coverage ------------------------------------------------------------------------------


def _cover(found: TestSet, tests: Sequence[TestCase], wanted: Wanted) -> int:
    probed: Probed = probe_all(found.program)
    run = work(
        Job(probed.program, tests, wanted.seconds, probed=True),
        wanted.processes,
    )
    bad = [n for n, r in enumerate(run.results) if r.outcome in ("FAIL", "ERROR")]
    if bad:
        again = [run.results[n].test for n in bad]
        job = Job(found.program, again, wanted.seconds, _explainer(found, wanted))
        shown = test_report.pretty(work(job, 1), verbose=wanted.verbose, traces={})
        _echo(shown, err=wanted.format == "json")
        click.echo(safe(test_report.headline(run.results[bad[0]])), err=True)
        return 1
    report = coverage(found.modules, probed.probes, run.hits)
    if report.percent < wanted.threshold:
        _too_low(report, wanted)
        return 2
    if wanted.format == "json":
        click.echo(json.dumps(report.to_json(), indent=2))
    else:
        _echo(test_report.coverage_table(report))
    return _exit_code(run, wanted)


def _too_low(report: Coverage, wanted: Wanted) -> None:
    got, asked = report.percent, wanted.threshold
    lines = [f"Code coverage threshold not met: got {got:.2f} instead of {asked:.2f}"]
    if wanted.verbose:
        lines.append("Lines not covered:")
        for name in sorted(report.files):
            for first, last in spans(report.files[name].not_covered):
                lines.append(f"\t{name}:{first}" + ("" if first == last else f"-{last}"))
    click.echo(safe("\n".join(lines)), err=True)


# -- benchmarks ----------------------------------------------------------------------------


def _bench(found: TestSet, tests: Sequence[TestCase], wanted: Wanted) -> int:
    # Measuring is a module that few runs need.
    from adjudge.policyset.test_timing import measure

    job = Job(found.program, tests, wanted.seconds, _explainer(found, wanted))
    run = work(job, 1)
    records: list[dict[str, Any]] = []
    for result in run.results:
        record = test_report.record(result)
        if result.outcome == "PASS":
            timing = measure(found.program, result.test, wanted.seconds)
            record["benchmark_result"] = {"N": timing.rounds, "T": timing.total_ns}
            if wanted.format != "json":
                name = _bench_name(result.test, wanted)
                each = timing.total_ns / timing.rounds
                click.echo(f"{safe(name)}\t{timing.rounds:>8}\t{each:>10.0f} ns/op")
        records.append(record)
    if wanted.format == "json":
        click.echo(json.dumps(records, indent=2))
        return _exit_code(run, wanted)
    _echo(test_report.pretty(run, verbose=False, traces={}))
    return _exit_code(run, wanted)


def _bench_name(test: TestCase, wanted: Wanted) -> str:
    name = f"{test.package}.{test.name}"
    if wanted.format != "gobench":
        return name
    # Go's format wants `Benchmark` and a name in camel case.
    words = re.split(r"[._\s]+", name)
    return "Benchmark" + "".join(word[:1].upper() + word[1:] for word in words)
