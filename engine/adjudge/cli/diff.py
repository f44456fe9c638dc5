"""``adjudge diff``: which decisions that were taken would other policies take otherwise."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import filled, format_option

if TYPE_CHECKING:
    from adjudge.decision.model import RuleResult
    from adjudge.gate.replay import Comparison

_PATH = click.Path(path_type=Path)
_MAX_FINDINGS = 5


@click.command(
    "diff",
    epilog="""\b
Examples:
  adjudge diff baseline strict --over recordings
  adjudge diff recorded our-policies/ --over recordings --fail-on-flip
  adjudge diff baseline strict --over adjudge.db --recordings recordings

\b
OLD may be `recorded`: what was decided then, by whatever policies.
Exit codes: 0 compared, 1 an outcome flips (with --fail-on-flip), 2 it cannot be compared.
""",
)
@click.argument("old", callback=filled)
@click.argument("new", callback=filled)
@click.option(
    "--over",
    callback=filled,
    required=True,
    metavar="DIR|LEDGER",
    help="The folder that `check --record` wrote, or a ledger whose decisions were recorded.",
)
@click.option(
    "--recordings",
    type=_PATH,
    default=Path("recordings"),
    show_default=True,
    metavar="DIR",
    help="Where the decisions of a ledger were recorded.",
)
@click.option(
    "--ledger-tenant",
    default="default",
    show_default=True,
    metavar="NAME",
    help="Whose log of the ledger.",
)
@click.option("-d", "--data", multiple=True, metavar="FILE", help="Base documents, for both.")
@click.option("--v0-compatible", is_flag=True, help="Read policies as Rego v0.")
@click.option("--fail-on-flip", is_flag=True, help="Exit with 1 when an outcome flips.")
@format_option
def command(
    old: str,
    new: str,
    over: str,
    recordings: Path,
    ledger_tenant: str,
    data: tuple[str, ...],
    v0_compatible: bool,
    fail_on_flip: bool,
    format_: str,
) -> int:
    """Judge every recorded case by OLD and by NEW policies; list what differs."""
    from adjudge.gate.recording import Recordings
    from adjudge.gate.replay import compare
    from adjudge.policyset.loading import load_policy_set

    if os.path.isdir(over):
        kept = Recordings(Path(over))
        ids = list(kept.ids())
    else:
        kept = Recordings(recordings)
        ids = _logged(over, ledger_tenant)
    before = None if old == "recorded" else load_policy_set([old], data=data, v0=v0_compatible)
    found = compare(kept, ids, before, load_policy_set([new], data=data, v0=v0_compatible))
    if format_ == "json":
        click.echo(json.dumps(_document(found), indent=2))
    else:
        _show(found)
    if found.unusable or not found.judged:
        return 2
    return 1 if fail_on_flip and found.flipped else 0


def _logged(url: str, tenant: str) -> list[str]:
    """The ids of the decisions in a ledger, oldest first."""
    from adjudge.ledger import Ledger

    with Ledger.open(url, tenant=tenant) as ledger:
        return [entry.decision.decision_id for entry in ledger.decisions()]


def _finding(result: RuleResult) -> dict[str, Any]:
    return {
        "rule_id": result.rule_id,
        "artifact": result.artifact,
        "pointer": result.pointer,
        "message": result.message,
    }


def _document(found: Comparison) -> dict[str, Any]:
    return {
        "judged": found.judged,
        "flipped": len(found.flipped),
        "changes": [
            {
                "decision_id": c.decision_id,
                "subject": c.subject,
                "time": c.time,
                "old": c.old,
                "new": c.new,
                "added": [_finding(r) for r in c.added],
                "removed": [_finding(r) for r in c.removed],
            }
            for c in found.changes
        ],
        "unrecorded": found.unrecorded,
        "unusable": [{"decision_id": i, "error": why} for i, why in found.unusable],
    }


def _show(found: Comparison) -> None:
    from adjudge.cli.terminal import safe

    for change in found.changes:
        verdict = f"{change.old} -> {change.new}" if change.flipped else f"{change.old}, still"
        click.echo(f"{change.decision_id}  {verdict}  {safe(change.subject)}  {change.time}")
        for sign, results in (("+", change.added), ("-", change.removed)):
            for result in results[:_MAX_FINDINGS]:
                click.echo(f"  {sign} {safe(result.rule_id)}  {safe(result.message)}")
            if len(results) > _MAX_FINDINGS:
                click.echo(f"  {sign} and {len(results) - _MAX_FINDINGS} more")
    for decision_id, why in found.unusable:
        click.echo(f"{decision_id}  cannot be judged: {safe(why)}")
    click.echo(
        f"{found.judged} judged, {len(found.flipped)} flipped,"
        f" {len(found.changes) - len(found.flipped)} with other findings"
        + (f", {found.unrecorded} not recorded" if found.unrecorded else "")
        + (f", {len(found.unusable)} unusable" if found.unusable else "")
    )
