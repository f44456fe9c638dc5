"""``adjudge replay``: judge again what a recorded decision was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from adjudge.cli.options import format_option

if TYPE_CHECKING:
    from adjudge.gate.replay import Replay

_PATH = click.Path(path_type=Path)
_SHOWN = 60


@click.command(
    "replay",
    epilog="""\b
Examples:
  adjudge check . --record recordings --output json=decision.json
  adjudge replay decision.json --recordings recordings
  adjudge replay 01a1fe2c-d6c1-7661-baa5-481dc9d18ae9 --recordings recordings

\b
Exit codes: 0 identical, 1 something differs, 2 it cannot be replayed.
""",
)
@click.argument("decision")
@click.option(
    "--recordings",
    type=_PATH,
    default=Path("recordings"),
    show_default=True,
    help="The folder that `check --record` wrote.",
)
@format_option
def command(decision: str, recordings: Path, format_: str) -> int:
    """Make the judgement of DECISION (a record, or the id of one) again, and compare.

    It is made of the recorded inputs, policies, data and waivers, by the recorded clock.
    """
    from adjudge.cli.records import read_record
    from adjudge.gate.recording import Recordings
    from adjudge.gate.replay import replay

    path = Path(decision)
    record = read_record(path) if path.is_file() else None
    recording = Recordings(recordings).load(record.decision_id if record else decision)
    made = replay(recording, record)
    if format_ == "json":
        click.echo(json.dumps(_document(made), indent=2))
    else:
        _show(made)
    return 0 if made.identical else 1


def _document(made: Replay) -> dict[str, Any]:
    return {
        "identical": made.identical,
        "decision_id": made.recorded.decision_id,
        "recorded": {"digest": made.recorded.digest, "outcome": made.recorded.outcome},
        "replayed": {"digest": made.replayed.digest, "outcome": made.replayed.outcome},
        "differences": [
            {"pointer": d.pointer, "recorded": d.recorded, "replayed": d.replayed}
            for d in made.differences
        ],
        "notes": list(made.notes),
    }


def _show(made: Replay) -> None:
    from adjudge.cli.terminal import safe

    old, new = made.recorded, made.replayed
    click.echo(f"decision  {old.decision_id}  {old.outcome}  {old.time}")
    for note in made.notes:
        click.echo(f"note      {safe(note)}")
    if made.identical:
        click.echo(f"identical sha256:{old.digest}")
        return
    click.echo(f"recorded  sha256:{old.digest}  {old.outcome}")
    click.echo(f"replayed  sha256:{new.digest}  {new.outcome}")
    for d in made.differences:
        click.echo(f"  {safe(d.pointer)}: {_short(d.recorded)} -> {_short(d.replayed)}")


def _short(value: Any) -> str:
    from adjudge.cli.terminal import safe

    text = safe(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
