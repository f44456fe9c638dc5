"""``adjudge report``: what was decided in a period, from the ledger."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adjudge.cli.options import age_seconds, filled

if TYPE_CHECKING:
    from adjudge.decision.model import Decision
    from adjudge.exports.framework import Framework


@click.command(
    "report",
    epilog="""\b
Examples:
  adjudge report --since 7d
  adjudge report --since 2026-07-01 --until 2026-10-01 --format html --output q3.html
  adjudge report --since 24h --format csv > decisions.csv
  adjudge report --framework eu-ai-act --since 90d --format pdf --output ai-act.pdf
  adjudge report decision.json --framework soc2 --format oscal
""",
)
@click.argument("records", nargs=-1, type=click.Path(path_type=Path), metavar="[DECISION]...")
@click.option(
    "--ledger",
    "--log",
    default="adjudge.db",
    show_default=True,
    callback=filled,
    metavar="URL",
    help="The ledger: a file, or postgresql://... .",
)
@click.option(
    "--ledger-tenant",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose log of the ledger.",
)
@click.option("--since", metavar="TIME", help="RFC 3339, a date, or an age such as 24h or 7d.")
@click.option("--until", metavar="TIME", help="As --since; the period ends before it.")
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["html", "pdf", "json", "csv", "oscal"]),
    default="json",
    show_default=True,
)
@click.option(
    "--framework",
    callback=filled,
    metavar="NAME|FILE",
    help="Report on each control of this framework (eu-ai-act, soc2, ...).",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file instead of stdout.")
def command(
    records: tuple[Path, ...],
    ledger: str,
    ledger_tenant: str,
    since: str | None,
    until: str | None,
    format_: str,
    framework: str | None,
    output: Path | None,
) -> int:
    """Summarise decisions: those of a period from the log, or the records DECISION.

    Without a framework the counts are by outcome, rule, control and subject.
    """
    from adjudge.errors import UsageError
    from adjudge.exports.writing import write_file
    from adjudge.gate.frameworks import load_framework

    if format_ == "oscal" and framework is None:
        raise UsageError(
            "framework_missing",
            "OSCAL is about the controls of a framework",
            hint="add --framework, such as --framework eu-ai-act",
        )
    if format_ == "pdf" and output is None:
        raise UsageError("output_path_missing", "PDF needs a file", hint="add --output FILE")
    controls = None if framework is None else load_framework(framework)
    now = time.time_ns()
    start, end = _moment(since, now), _moment(until, now)
    if start is not None and end is not None and start >= end:
        raise click.BadParameter("the period ends before it begins", param_hint="--until")
    decisions = _decisions(records, ledger, ledger_tenant, start, end)
    if controls is None:
        text = _summary(decisions, _shown(start), _shown(end), format_)
    else:
        text = _matrix(controls, decisions, _shown(start), _shown(end), format_)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_file(str(output), _pdf(text) if format_ == "pdf" else text.encode())
    return 0


def _decisions(
    records: tuple[Path, ...], ledger: str, tenant: str, start: int | None, end: int | None
) -> list[Decision]:
    from adjudge.cli.records import read_record
    from adjudge.decision.times import parse_time
    from adjudge.ledger import Ledger

    if not records:
        with Ledger.open(ledger, tenant=tenant) as store:
            return [entry.decision for entry in store.decisions(start, end)]
    found = {d.decision_id: d for d in map(read_record, records)}
    return [
        d
        for d in found.values()
        if (start is None or parse_time(d.time) >= start)
        and (end is None or parse_time(d.time) < end)
    ]


def _summary(
    decisions: Sequence[Decision], since: str | None, until: str | None, format_: str
) -> str:
    from adjudge.exports.period import render, summarise

    return render(summarise(decisions, since, until), "html" if format_ == "pdf" else format_)


def _matrix(
    controls: Framework,
    decisions: Sequence[Decision],
    since: str | None,
    until: str | None,
    format_: str,
) -> str:
    from adjudge.exports import compliance, oscal

    matrix = compliance.Matrix(controls, decisions, since=since, until=until)
    if format_ == "csv":
        return compliance.rows(matrix)
    if format_ == "json":
        return compliance.data(matrix)
    if format_ == "oscal":
        return oscal.text(matrix)
    return compliance.html(matrix)


def _pdf(page: str) -> bytes:
    from adjudge.exports.pdf import pdf

    return pdf(page)


def _moment(text: str | None, now: int) -> int | None:
    """Nanoseconds since 1970, kept to what a log can hold (64 bits)."""
    from adjudge.decision.times import parse_time
    from adjudge.errors import AdjudgeError, UsageError

    if text is None:
        return None
    if re.fullmatch(r"[0-9]+[mhdw]", text):
        return max(now - age_seconds(text) * 1_000_000_000, 0)
    try:
        return min(max(parse_time(text), 0), 2**63 - 1)
    except AdjudgeError as error:
        hint = "write an age (30m, 24h, 7d, 2w), a date, or a time such as 2026-11-20T09:30:00Z"
        raise UsageError(error.code, error.message, hint=hint) from None


def _shown(moment: int | None) -> str | None:
    from adjudge.decision.times import format_time

    return None if moment is None else format_time(moment)
