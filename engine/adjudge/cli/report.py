"""``adjudge report``: what was decided in a period, from the decision log."""

from __future__ import annotations

import re
import time
from pathlib import Path

import click

from adjudge.cli.options import age_seconds


@click.command(
    "report",
    epilog="""\b
Examples:
  adjudge report --since 7d
  adjudge report --since 2026-07-01 --until 2026-10-01 --format html --output q3.html
  adjudge report --since 24h --format csv > decisions.csv
""",
)
@click.option(
    "--log",
    default="adjudge.db",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The decision log (SQLite).",
)
@click.option("--since", metavar="TIME", help="RFC 3339, a date, or an age such as 24h or 7d.")
@click.option("--until", metavar="TIME", help="As --since; the period ends before it.")
@click.option(
    "-f",
    "--format",
    "format_",
    type=click.Choice(["html", "json", "csv"]),
    default="json",
    show_default=True,
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file instead of stdout.")
def command(
    log: Path, since: str | None, until: str | None, format_: str, output: Path | None
) -> int:
    """Summarise the decisions of a period: counts by outcome, rule, control and subject."""
    from adjudge.exports.period import render, summarise
    from adjudge.exports.writing import write_text
    from adjudge.ledger import DecisionLog

    now = time.time_ns()
    start, end = _moment(since, now), _moment(until, now)
    if start is not None and end is not None and start >= end:
        raise click.BadParameter("the period ends before it begins", param_hint="--until")
    with DecisionLog(log, create=False) as store:
        decisions = [entry.decision for entry in store.decisions(start, end)]
    text = render(summarise(decisions, _shown(start), _shown(end)), format_)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_text(str(output), text)
    return 0


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
