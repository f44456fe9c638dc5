"""``adjudge action``: what the GitHub Action runs; its inputs are environment variables."""

from __future__ import annotations

import os

import click


@click.command("action", hidden=True)
def command() -> int:
    """Judge in a GitHub Actions step (see action.yml)."""
    from adjudge.errors import AdjudgeError
    from adjudge.gate.action import failure_lines, run_action

    try:
        return run_action(os.environ)
    except Exception as error:
        text = str(error) if isinstance(error, AdjudgeError) else "adjudge failed; see the log"
        for line in failure_lines(text):
            click.echo(line)
        raise
