"""The docs check: links lead somewhere, generated pages are current, commands exist.

``python docs/check.py`` reports; ``--write`` writes the generated pages.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from adjudge.cli.app import COMMANDS, app

ROOT = Path(__file__).resolve().parents[1]
CLI_PAGE = ROOT / "docs" / "reference" / "cli.md"
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def main(argv: list[str]) -> int:
    """Check, or write; the exit code is 1 when something is wrong."""
    page = cli_page()
    if "--write" in argv:
        CLI_PAGE.write_text(page, encoding="utf-8")
        return 0
    problems = [*broken_links(), *unknown_commands()]
    if not CLI_PAGE.exists() or CLI_PAGE.read_text(encoding="utf-8") != page:
        problems.append("docs/reference/cli.md is out of date: python docs/check.py --write")
    for problem in problems:
        print(problem)
    print(f"docs: {len(list(pages()))} pages, {len(problems)} problems")
    return 1 if problems else 0


def pages() -> Iterator[Path]:
    """Every Markdown page of the project."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted((ROOT / "docs").rglob("*.md"))
    yield from sorted((ROOT / "examples").glob("*.md"))


def broken_links() -> Iterator[str]:
    """Relative links that lead nowhere."""
    for page in pages():
        for target in _LINK.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
            if re.match(r"[a-z]+:|#", target):
                continue
            path = (page.parent / target.split("#")[0]).resolve()
            if not path.exists():
                yield f"{page.relative_to(ROOT)}: {target} leads nowhere"


def unknown_commands() -> Iterator[str]:
    """Commands and options in code blocks that do not exist."""
    for page in pages():
        for _, block in _FENCE.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                problem = _problem_with(line.strip().removeprefix("$ "))
                if problem:
                    yield f"{page.relative_to(ROOT)}: {line.strip()}: {problem}"


def _problem_with(line: str) -> str:
    if not line.startswith("adjudge ") or "…" in line or "..." in line:
        return ""
    try:
        words = shlex.split(line.split(" | ")[0].split(" > ")[0], comments=True)[1:]
    except ValueError:
        return ""
    if not words or words[0].startswith("-"):
        return ""
    if words[0] not in COMMANDS:
        return f"there is no command {words[0]}"
    command = app.get_command(click.Context(app), words[0])
    assert command is not None
    if isinstance(command, click.Group) and len(words) > 1 and not words[1].startswith("-"):
        inner = command.get_command(click.Context(command), words[1])
        if inner is None:
            return f"there is no command {words[0]} {words[1]}"
        command = inner
    known = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
    for word in words[1:]:
        name = word.split("=")[0]
        if re.match(r"--?[a-zA-Z]", word) and name not in known:
            return f"there is no option {name}"
    return ""


def cli_page() -> str:
    """The reference page of the command line, from the commands' own help."""
    out = [
        "# Command line\n",
        "Generated from the commands' help by `python docs/check.py --write`.\n",
        _help(app, "adjudge", None),
    ]
    for name in sorted(COMMANDS):
        command = app.get_command(click.Context(app), name)
        assert command is not None
        parent = click.Context(app, info_name="adjudge")
        out.append(f"## adjudge {name}\n")
        out.append(_help(command, name, parent))
        for inner in command.commands.values() if isinstance(command, click.Group) else ():
            out.append(f"### adjudge {name} {inner.name}\n")
            above = click.Context(command, info_name=name, parent=parent)
            out.append(_help(inner, str(inner.name), above))
    return "\n".join(out)


def _help(command: click.Command, name: str, parent: click.Context | None) -> str:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=100)
    context.terminal_width = 100
    return f"```\n{command.get_help(context)}\n```\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
