"""``adjudge completion``: the script that makes a shell complete adjudge's words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command(
    "completion",
    epilog="""\b
Examples:
  adjudge completion bash > ~/.local/share/bash-completion/completions/adjudge
  adjudge completion zsh > ~/.zfunc/_adjudge
  adjudge completion fish > ~/.config/fish/completions/adjudge.fish
""",
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the completion script for SHELL."""
    from adjudge.cli.app import app

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(app, {}, "adjudge", "_ADJUDGE_COMPLETE").source())
