"""The command group; each command is a module of its own, imported when it is called."""

from __future__ import annotations

import importlib
from typing import Any

import click

from adjudge import cache
from adjudge.version import __version__

COMMANDS = {
    "attest": "Sign a statement about a decision: who may rely on it, and for what.",
    "check": "Judge a release (or single files) and decide: allow or deny.",
    "completion": "Print the shell completion script.",
    "diff": "List which recorded decisions other policies would take otherwise.",
    "eval": "Evaluate a Rego query, as `opa eval` does.",
    "explain": "Show what policies there are, what a rule does, or a policy as Rego.",
    "fmt": "Format Rego, as `opa fmt` does.",
    "ledger": "Keep decisions in a signed, append-only log; prove what is in it.",
    "lint": "Look for mistakes in policies.",
    "pack": "Put a decision and all that proves it into one signed archive.",
    "replay": "Make a recorded judgement again, and compare.",
    "report": "Summarise logged decisions.",
    "serve": "Answer decisions over HTTP, with OPA's data API.",
    "sign": "Sign files with a key.",
    "test": "Run the tests of policies, as `opa test` does.",
    "verify": "Verify a signed decision: signature, subjects, policies, age.",
    "verify-artifact": "Verify who signed a file or model, when, and what of it.",
}


HIDDEN = frozenset({"action"})
"""Commands that other programs call."""


class LazyGroup(click.Group):
    """A group that knows its commands' names without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS and cmd_name not in HIDDEN:
            return None
        module = importlib.import_module(f"adjudge.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(n, COMMANDS[n]) for n in sorted(COMMANDS)])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        name = args[0]
        unknown = not name.startswith("-") and self.get_command(ctx, name) is None
        if unknown and not ctx.resilient_parsing:
            # Looking for names alike takes a module that commands do not need.
            from difflib import get_close_matches

            near = get_close_matches(name, COMMANDS, n=1)
            suggestion = f" Did you mean {near[0]!r}?" if near else ""
            raise click.UsageError(f"No such command {name!r}.{suggestion}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  adjudge check .                        judge the release in this folder
  adjudge check model_card.md            judge one file
  adjudge eval -d policies 'data.a.deny' evaluate a query
""",
)
@click.version_option(__version__, "--version", prog_name="adjudge")
@click.option("--no-cache", is_flag=True, help="Compile policies anew, and keep nothing on disk.")
def app(no_cache: bool) -> None:
    """Policy as code for AI: releases and calls are judged, decisions come with evidence."""
    if no_cache:
        cache.allow(None)
