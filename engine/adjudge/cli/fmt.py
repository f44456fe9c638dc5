"""``adjudge fmt``: write Rego in one style, as ``opa fmt`` does."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adjudge.cli.terminal import safe
from adjudge.errors import InputError
from adjudge.policyset.opa_files import read_text
from adjudge.rego.format import format_module
from adjudge.rego.parser import parse_module


@click.command(
    "fmt",
    epilog="""\b
Examples:
  adjudge fmt policy.rego          print it formatted
  adjudge fmt -w policies/         rewrite the files
  adjudge fmt --check policies/    exit 1 when a file is not formatted, as in CI
  adjudge fmt -d policies/         show what would change
""",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-w", "--write", is_flag=True, help="Rewrite the files.")
@click.option("-l", "--list", "list_", is_flag=True, help="List the files that would change.")
@click.option("-d", "--diff", is_flag=True, help="Show a diff of what would change.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 when something would.")
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
def command(
    paths: tuple[Path, ...],
    write: bool,
    list_: bool,
    diff: bool,
    check: bool,
    v0_compatible: bool,
) -> int:
    """Format the Rego files at PATHS (folders are searched); standard input without paths."""
    version = 0 if v0_compatible else 1
    if not paths:
        text = sys.stdin.read()
        click.echo(format_module(parse_module(text, "stdin", version)), nl=False)
        return 0
    changed = 0
    quiet = write or list_ or diff or check
    for path in _files(paths):
        before = read_text(path)
        after = format_module(parse_module(before, str(path), version))
        if before != after:
            changed += 1
            if list_ or check:
                click.echo(safe(str(path)))
            if diff:
                click.echo(_diff(path, before, after), nl=False)
            if write:
                from adjudge.exports.writing import write_text

                write_text(str(path), after)
        if not quiet:
            click.echo(after, nl=False)
    return 1 if check and changed else 0


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(p for p in path.rglob("*.rego") if p.is_file())
        elif path.exists():
            yield path
        else:
            raise InputError("file_not_found", f"{path}: no such file or directory")


def _diff(path: Path, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"{path}.orig",
        str(path),
    )
    return safe("".join(lines))
