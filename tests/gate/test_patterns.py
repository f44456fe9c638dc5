"""Which paths a pattern fits."""

from __future__ import annotations

import pytest

from adjudge.gate.patterns import is_pattern, matching

PATHS = [
    "a.md",
    "b/a.md",
    "b/c/a.md",
    "b/c",
    ".hidden",
    "b/.hidden/a.md",
    "x[1].json",
    "new\nline.md",
    "w\udcff.md",
]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.md", ["a.md", "new\nline.md", "w\udcff.md"]),
        ("*/*.md", ["b/a.md"]),
        ("**/*.md", ["a.md", "b/a.md", "b/c/a.md", "new\nline.md", "w\udcff.md"]),
        ("b/**", ["b/a.md", "b/c", "b/c/a.md"]),
        ("b/**/a.md", ["b/a.md", "b/c/a.md"]),
        ("?.md", ["a.md"]),
        ("[ab].md", ["a.md"]),
        ("[!b].md", ["a.md"]),
        ("[a-c]/a.md", ["b/a.md"]),
        ("x[[]1].json", ["x[1].json"]),
        (".hidden", [".hidden"]),
        (".h*", [".hidden"]),
        ("b/.*/a.md", ["b/.hidden/a.md"]),
        ("*", ["a.md", "new\nline.md", "w\udcff.md", "x[1].json"]),
        ("a.m", []),
        ("a(md", []),
        ("[", []),
        ("[!", []),
        ("[z-a].md", []),
        ("[]", []),
        ("[\\w].md", []),
        ("a[.]md", ["a.md"]),
        ("b[/]a.md", []),
        ("b[!x]a.md", []),
    ],
)
def test_patterns(pattern: str, found: list[str]) -> None:
    assert matching(pattern, PATHS) == sorted(found)


def test_a_pattern_that_is_slow_elsewhere_ends() -> None:
    assert matching("*a" * 12 + "b", ["a" * 60]) == []
    assert matching("**/" * 12 + "b", ["a/" * 60 + "c"]) == []


def test_what_a_pattern_is() -> None:
    assert is_pattern("a/*.md")
    assert not is_pattern("a/b.md")
