"""Comments in policies in, findings that are not to be told out.

``# adjudge:ignore CODE: reason`` stands on the line of the finding, or on a line of its own
above it; ``# adjudge:ignore-file CODE: reason`` anywhere in the file.  Several codes are
separated by commas.  Without a reason nothing is suppressed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from adjudge.policyset.lint.catalogue import RULES
from adjudge.policyset.lint.model import Finding, Subject, is_yaml
from adjudge.rego.syntax import Module
from adjudge.source import Location
from adjudge.yamlpolicy.problems import shown, suggestion

_COMMENT: Final = re.compile(
    r"#\s*adjudge:ignore(?P<file>-file)?\b[ \t]*(?P<codes>[\w, \t-]*)(?::(?P<reason>.*))?"
)


@dataclass(slots=True)
class Suppression:
    """A comment that suppresses some codes, in a file or on the lines ``rows``."""

    codes: tuple[str, ...]
    location: Location
    rows: frozenset[int] | None
    used: set[str] = field(default_factory=set)


def apply(subject: Subject, findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings that are left, and what is wrong with the suppressions themselves."""
    by_file: dict[str, list[Suppression]] = {}
    for module in (*subject.modules, *subject.tests):
        found, problems = read(subject, module)
        by_file[module.file] = found
        yield from problems
    for finding in findings:
        place = finding.location
        if place is None or not _suppressed(finding.code, place, by_file.get(place.file, ())):
            yield finding
    for suppressions in by_file.values():
        for suppression in suppressions:
            for code in suppression.codes:
                if code not in suppression.used:
                    yield subject.finding(
                        "suppression_unused",
                        f"there is no {code} to suppress here",
                        suppression.location,
                        "remove the comment",
                    )


def _suppressed(code: str, place: Location, suppressions: Iterable[Suppression]) -> bool:
    for each in suppressions:
        if code in each.codes and (each.rows is None or place.row in each.rows):
            each.used.add(code)
            return True
    return False


def read(subject: Subject, module: Module) -> tuple[list[Suppression], list[Finding]]:
    """The suppressions of a module, and findings about those that are wrong."""
    found: list[Suppression] = []
    problems: list[Finding] = []
    lines = module.source.split("\n")
    for row, col in _comments(module, lines):
        match = _COMMENT.match(lines[row - 1], col)
        if match is None:
            continue
        location = Location(module.file, row, col + 1)
        codes = [c for c in re.split(r"[,\s]+", match["codes"]) if c]
        unknown = [c for c in codes if c not in RULES]
        for code in unknown:
            message = f"there is no code {shown(code)}"
            hint = suggestion(code, RULES) or "adjudge lint --list-rules tells them"
            problems.append(subject.finding("suppression_unknown", message, location, hint))
        if not (match["reason"] or "").strip() or not codes:
            example = f"# adjudge:ignore {codes[0] if codes else 'CODE'}: why"
            problems.append(
                subject.finding(
                    "suppression_without_reason",
                    "a suppression names codes and says why",
                    location,
                    f"write {example}",
                )
            )
            continue
        own_line = not lines[row - 1][:col].strip()
        rows = None if match["file"] else frozenset({row, _next(lines, row) if own_line else row})
        found.append(Suppression(tuple(c for c in codes if c in RULES), location, rows))
    return found, problems


def _comments(module: Module, lines: list[str]) -> Iterator[tuple[int, int]]:
    """Rows (from 1) and columns (from 0) of comments that may suppress something."""
    if not is_yaml(module):
        yield from ((c.loc.row, c.loc.col - 1) for c in module.comments)
        return
    for row, line in enumerate(lines, 1):
        at = line.find("# adjudge:ignore")
        if at >= 0 and (at == 0 or line[at - 1].isspace()):
            yield row, at


def _next(lines: list[str], row: int) -> int:
    """The first line below a comment that is neither empty nor a comment."""
    for number in range(row, len(lines)):
        text = lines[number].strip()
        if text and not text.startswith("#"):
            return number + 1
    return row
