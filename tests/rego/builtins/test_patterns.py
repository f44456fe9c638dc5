"""Which engine runs a pattern, and that both agree."""

from __future__ import annotations

import random
from typing import Any

import pytest

from adjudge.rego.builtins.patterns import Pattern, _Python, _Re2, compile_pattern
from adjudge.rego.builtins.regex_python import translate
from adjudge.rego.builtins.registry import BuiltinError


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "",
            "foo",
            "^foo$",
            "^[a-z]+$",
            r"^[a-z]+-\d+$",
            r"^v?\d+\.\d+\.\d+$",
            "a|b",
            "^(a|ab)c$",
        ),
        *(r"\b\d{3}-\d{2}-\d{4}\b", r"^.*\.example\.com$", "(?i)^bearer [a-z0-9]+$", "^https?://"),
        *(
            r"^[^@\s]+@[^@]+$",
            "^[^.]*[.]github[.]com$",
            "(?s)^.*$",
            "[A-Fa-f0-9]{8}",
            "^(?P<x>[a-z]+)=(.*)$",
        ),
    ],
)
def test_plain_patterns_need_no_re2(pattern: str) -> None:
    assert translate(pattern) is not None


@pytest.mark.parametrize(
    "pattern",
    [
        *("a+$", "[a-z]+@", "^(a+)+$", "^(a|a)*$", "^.*a.*b$", "^(.*[a-z]*)$", "(a?){20}a{20}"),
        *("^(?:a|ab)*$", "a.*b", "x*", "(?m)^a$", r"\pL", "[[:alpha:]]", r"\B", "(?i)é", "^(a*)*$"),
        *("(?U)a", "a{1001}", "(?=a)", r"\1", "*", "a**", "(", r"\C", "^a?a?a?a?a?a?aaaaaa$"),
    ],
)
def test_what_may_backtrack_is_left_to_re2(pattern: str) -> None:
    assert translate(pattern) is None


def found(pattern: Pattern, text: str) -> list[list[str | None]]:
    """All matches with their groups."""
    subject: Any = pattern.subject(text)
    return [
        [None if low < 0 else pattern.text(subject[low:high]) for low, high in spans]
        for spans in pattern.matches(subject, -1)
    ]


def test_both_engines_agree() -> None:
    rng = random.Random(20_000)
    atoms = ["a", "b", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", "-", "(a)", "(a|b)", "(ab|c)"]
    atoms += ["(?:ab)", "é", r"\b", "[a-c]", r"[^\d]", "(?P<n>b)", r"\x{e9}", "[]a]", "[b-]"]
    marks = ["", "", "", "*", "+", "?", "{2}", "{1,3}", "*?", "??"]
    compared = 0
    for _ in range(2000):
        body = "".join(rng.choice(atoms) + rng.choice(marks) for _ in range(rng.randint(1, 4)))
        pattern = rng.choice(["^", "^", "", "(?i)^", "(?s)^"]) + body + rng.choice(["$", "", r"\z"])
        translation = translate(pattern)
        if translation is None:
            continue
        compared += 1
        fast, reference = _Python(translation), _Re2(pattern)
        for _ in range(4):
            text = "".join(rng.choice("aabbc-1 \nAéKſ_") for _ in range(rng.randint(0, 7)))
            assert found(fast, text) == found(reference, text), (pattern, text)
            assert bool(fast.search(text)) == bool(reference.search(text)), (pattern, text)
    assert compared > 300


def test_no_word_boundary_within_a_character() -> None:
    assert not compile_pattern(r"\B").search("béb")
    assert found(compile_pattern(r"\B"), "abc") == [[""], [""]]


def test_bytes_that_are_no_text_match_as_one_character() -> None:
    for pattern in ("^.$", "^(?:.|xx)*$"):
        assert compile_pattern(pattern).search("\udcff")


def test_compiled_patterns_are_kept() -> None:
    assert compile_pattern("kept[0-9]") is compile_pattern("kept[0-9]")


def test_the_words_for_a_mistake_are_those_of_go() -> None:
    with pytest.raises(BuiltinError) as raised:
        compile_pattern("a(b")
    assert raised.value.message == "error parsing regexp: missing closing ): `a(b`"
