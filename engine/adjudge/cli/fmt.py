"""``adjudge fmt``: write Rego in one style, as ``opa fmt`` does."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adjudge.cli.opa_options import complain
from adjudge.cli.terminal import safe
from adjudge.errors import AdjudgeError, InputError
from adjudge.policyset.opa_files import read_text
from adjudge.rego.format import format_module
from adjudge.rego.parser import parse_module

STDIN = Path("-")


@click.command(
    "fmt",
    epilog="""\b
Examples:
  adjudge fmt policy.rego          print it formatted
  adjudge fmt -w policies/         rewrite the files
  adjudge fmt --check policies/    exit 1 when a file is not formatted
  adjudge fmt -d policies/         show what would change
  adjudge fmt - < policy.rego      format standard input

\b
Exit codes: 0 done, 1 something would change (--check, --fail), 2 a file that
cannot be read, or is not Rego; the others are formatted all the same.
""",
)
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("-w", "--write", is_flag=True, help="Rewrite the files.")
@click.option("-l", "--list", "list_", is_flag=True, help="List the files that would change.")
@click.option("-d", "--diff", is_flag=True, help="Show a diff of what would change.")
@click.option("--check", is_flag=True, help="List what would change; then exit 1.")
@click.option("--fail", is_flag=True, help="Exit 1 when something would change.")
@click.option("--v0-compatible", is_flag=True, help="Read modules as Rego v0.")
def command(
    paths: tuple[Path, ...],
    write: bool,
    list_: bool,
    diff: bool,
    check: bool,
    fail: bool,
    v0_compatible: bool,
) -> int:
    """Format the Rego files at PATHS (folders are searched); - or none is standard input."""
    version = 0 if v0_compatible else 1
    # A diff tells already which file it is about.
    listed = list_ or (check and not diff)
    quiet = write or listed or diff or check
    changed = broken = 0
    for path in _files(paths or (STDIN,)):
        try:
            before, after = _formatted(path, version)
            if before != after:
                changed += 1
                _tell(path, before, after, listed=listed, diff=diff)
                if write and path != STDIN:
                    _rewrite(path, after)
            if not quiet or (write and path == STDIN):
                click.echo(after, nl=False)
        except AdjudgeError as error:
            broken += 1
            complain(error)
    if broken:
        return 2
    return 1 if changed and (check or fail) else 0


def _formatted(path: Path, version: int) -> tuple[str, str]:
    """The text of a file, and the same formatted; raises AdjudgeError."""
    before = _stdin() if path == STDIN else read_text(path)
    name = "stdin" if path == STDIN else str(path)
    return before, format_module(parse_module(before, name, version))


def _stdin() -> str:
    try:
        return sys.stdin.read()
    except UnicodeDecodeError:
        raise InputError("invalid_utf8", "standard input is not UTF-8 text") from None


def _tell(path: Path, before: str, after: str, *, listed: bool, diff: bool) -> None:
    if listed:
        click.echo(safe(str(path)))
    if diff:
        click.echo(_diff(path, before, after), nl=False)


def _rewrite(path: Path, text: str) -> None:
    from adjudge.exports.writing import write_text

    write_text(str(path), text)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files that are formatted; a missing one is an error before anything is written."""
    found: dict[Path, None] = {}
    for path in paths:
        if path == STDIN:
            found[path] = None
        elif path.is_dir():
            found.update(dict.fromkeys(sorted(p for p in path.rglob("*.rego") if p.is_file())))
        elif path.exists():
            found[path] = None
        else:
            raise InputError("file_not_found", f"{path}: no such file or directory")
    yield from found


def _diff(path: Path, before: str, after: str) -> str:
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"{path}.orig",
        str(path),
    )
    # A file may end without a line end; the next line of the diff must not join it.
    whole = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    ]
    return safe("".join(whole))
