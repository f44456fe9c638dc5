"""``adjudge lint``: what is doubtful about policies; exit 0 clean, 1 findings, 2 unusable."""

from __future__ import annotations

import shutil
import sys
import time

import click

from adjudge.cli.lint_report import FORMATS, Look, listing, render
from adjudge.cli.opa_options import read_capabilities
from adjudge.cli.options import filled
from adjudge.errors import UsageError
from adjudge.policyset.lint import RULES, SEVERITIES, lint
from adjudge.policyset.opa_files import load_schemas


@click.command(
    "lint",
    epilog="""\b
Examples:
  adjudge lint policies/                     everything in a folder
  adjudge lint policies/ --fail-on error     exit 1 for errors only
  adjudge lint . --disable untested_rule,naming
  adjudge lint . --format sarif > lint.sarif
  adjudge lint --list-rules                  what is looked for

\b
A comment suppresses a finding on its line or on the next one, with a reason:
  # adjudge:ignore dead_rule: the gateway queries it

\b
Exit codes: 0 clean, 1 findings at or above --fail-on, 2 nothing to lint.
""",
)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option(
    "-d",
    "--data",
    multiple=True,
    callback=filled,
    metavar="FILE",
    help="Base documents. Repeatable.",
)
@click.option(
    "-f", "--format", "format_", type=click.Choice(FORMATS), default="console", show_default=True
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="warning",
    show_default=True,
    help="The least severity that makes the exit code 1.",
)
@click.option(
    "--disable",
    multiple=True,
    metavar="CODE",
    help="Do not tell findings with this code. Repeatable, and takes lists with commas.",
)
@click.option("--list-rules", is_flag=True, help="Tell what is looked for, and exit.")
@click.option("--as-of", callback=filled, metavar="TIME", help="Compare dates with this time.")
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
@click.option("-s", "--schema", metavar="PATH", help="JSON schemas for the compiler to check with.")
@click.option("--capabilities", metavar="FILE|VERSION", help="What the policies may use.")
def command(
    paths: tuple[str, ...],
    data: tuple[str, ...],
    format_: str,
    fail_on: str,
    disable: tuple[str, ...],
    list_rules: bool,
    as_of: str | None,
    v0_compatible: bool,
    schema: str | None,
    capabilities: str | None,
) -> int:
    """Look for mistakes in the policies at PATH (folders, files, shipped names; default: .)."""
    from adjudge.decision.times import parse_time

    if list_rules:
        click.echo(listing(format_, _look()), nl=False)
        return 0
    report = lint(
        paths or (".",),
        now_ns=parse_time(as_of) if as_of else time.time_ns(),
        data=data,
        disabled=_codes(disable),
        v0=v0_compatible,
        capabilities=read_capabilities(capabilities),
        schemas=None if schema is None else load_schemas(schema),
    )
    click.echo(render(report, format_, _look()), nl=False)
    levels = SEVERITIES[list[str](SEVERITIES).index(fail_on) :]
    return 1 if any(f.severity in levels for f in report.findings) else 0


def _codes(given: tuple[str, ...]) -> frozenset[str]:
    codes = {code.strip() for text in given for code in text.split(",") if code.strip()}
    for code in sorted(codes - set(RULES)):
        from difflib import get_close_matches

        near = get_close_matches(code, RULES, n=1)
        raise UsageError(
            "unknown_lint_code",
            f"there is no lint rule {code!r}",
            hint=f"did you mean {near[0]}?" if near else "`adjudge lint --list-rules` tells them",
        )
    return frozenset(codes)


def _look() -> Look:
    import os

    person = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if person else 100
    return Look(min(max(width, 40), 120), person and not os.environ.get("NO_COLOR"))
