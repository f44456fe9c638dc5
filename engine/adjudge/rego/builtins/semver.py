"""Semantic versions (semver.org 2.0.0): semver.compare, semver.is_valid."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from adjudge.rego.builtins.registry import BuiltinError, builtin, want_string
from adjudge.rego.runtime.text import go_quote
from adjudge.rego.runtime.values import Value

_INT64: Final = 1 << 63
_IDENTIFIERS: Final = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION: Final = re.compile(
    r"v?(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)"
    rf"(?:-({_IDENTIFIERS}))?(?:\+{_IDENTIFIERS})?\Z",
)
_PADDED_NUMBER: Final = re.compile(r"0[0-9]+\Z")


class Version(NamedTuple):
    """What counts in a comparison; build metadata does not."""

    release: tuple[int, int, int]
    prerelease: str


def parse_version(text: str) -> Version | None:
    """The version, or None when the text is none; a leading ``v`` is allowed."""
    found = _VERSION.match(text)
    if found is None or any(len(part) > 19 for part in found.groups()[:3]):
        return None
    release = (int(found[1]), int(found[2]), int(found[3]))
    prerelease = found[4] or ""
    if max(release) >= _INT64 or any(map(_PADDED_NUMBER.match, prerelease.split("."))):
        return None
    return Version(release, prerelease)


@builtin("semver.is_valid")
def is_valid(text: Value) -> bool:
    """Whether the value is a string with a semantic version."""
    return isinstance(text, str) and parse_version(text) is not None


@builtin("semver.compare")
def compare(first: Value, second: Value) -> int:
    """-1, 0 or 1 by precedence."""
    texts = (want_string(first, 1), want_string(second, 2))
    versions = []
    for position, text in enumerate(texts, 1):
        version = parse_version(text)
        if version is None:
            raise BuiltinError(f"operand {position}: string {go_quote(text)} is not a valid SemVer")
        versions.append(version)
    a, b = versions
    if a.release != b.release:
        return 1 if a.release > b.release else -1
    left, right = _precedence(a.prerelease), _precedence(b.prerelease)
    return (left > right) - (left < right)


def _precedence(prerelease: str) -> tuple[int, list[tuple[int, int, str]]]:
    """A sort key: no pre-release is greatest, numbers come before words."""
    if not prerelease:
        return (1, [])
    parts = prerelease.split(".")
    return (0, [(0, _number(p), "") if p.isdigit() else (1, 0, p) for p in parts])


def _number(digits: str) -> int:
    """The number; as in OPA, those beyond 64 bits are all alike."""
    return min(int(digits), _INT64 - 1) if len(digits) <= 19 else _INT64 - 1
