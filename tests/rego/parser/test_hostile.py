"""Texts made to hurt end in ``rego_parse_error``, quickly."""

from __future__ import annotations

import random
import sys

import pytest

from adjudge.rego.errors import RegoErrors
from adjudge.rego.parser import MAX_DEPTH, parse_body, parse_module

OPENERS = ["[", "{", "(", "f(", "a[", '$"{', "$`{", "{x | ", "[1 | ", '{"a": ', "{1 | 2, "]


def _message(text: str) -> str:
    with pytest.raises(RegoErrors) as caught:
        parse_module(text)
    assert caught.value.errors[0].code == "rego_parse_error"
    return caught.value.errors[0].message


@pytest.mark.parametrize("opener", OPENERS)
def test_deep_nesting_is_refused(opener: str) -> None:
    assert "nested too deeply" in _message("package a\np := " + opener * (MAX_DEPTH + 1))


@pytest.mark.parametrize("closer", ["[", "(", "{"])
def test_nesting_up_to_the_limit_is_read(closer: str) -> None:
    ends = {"[": "]", "(": ")", "{": "}"}
    text = closer * MAX_DEPTH + "1" + ends[closer] * MAX_DEPTH
    assert parse_module("package a\np := " + text).rules


@pytest.mark.parametrize(
    "chain",
    ["1" + " + 1" * 2000, "x" + " in x" * 2000, "f" + "(x).a" * 2000, "1" + " | 2 & 3" * 2000],
)
def test_deep_chains_are_refused(chain: str) -> None:
    assert "nested too deeply" in _message(f"package a\np if {chain}")
    with pytest.raises(RegoErrors, match="nested too deeply"):
        parse_body(chain)


def test_long_else_chains_are_refused() -> None:
    assert "nested too deeply" in _message("package a\np := 1 if x" + " else := 2 if y" * 2000)


def test_chains_of_a_reasonable_length_are_read() -> None:
    assert parse_module("package a\np := 1" + " + 1" * 150).rules


def test_a_deep_caller_does_not_break_the_parser() -> None:
    text = "package a\np := " + "[x | x := " * 90 + "1" + "]" * 90

    def deep(frames: int) -> None:
        if frames:
            deep(frames - 1)
        else:
            parse_module(text)

    parse_module(text)
    with pytest.raises(RegoErrors, match="nested too deeply"):
        deep(sys.getrecursionlimit() - 150)


def test_nested_attempts_at_comprehensions_stay_linear() -> None:
    depth = MAX_DEPTH - 1
    text = "{1 | 2, " * depth + "3" + "}" * depth
    assert parse_module("package a\np := " + text).rules


def test_the_length_is_bounded() -> None:
    with pytest.raises(RegoErrors, match="longer than 10 characters"):
        parse_module("package abcdef", max_characters=10)


def test_many_errors_are_cut() -> None:
    with pytest.raises(RegoErrors) as caught:
        parse_module("package a\n" + "p[1]\n" * 5000)
    assert len(caught.value.errors) == 100


def test_random_tokens_only_ever_raise_parse_errors() -> None:
    pieces = [
        *("{", "}", "[", "]", "(", ")", '$"{', "$`", '"', "`", "\\", "#", "\n", "$", ";", "!"),
        *("|", ",", ":", ":=", "=", "==", "-", "1", "1e5", ".a", "\ud800", "\0", "é"),
        *("p if", "p contains", "not", "some", "every", "in", "with", "as", "else", "default"),
        *("import", "package", "x", "set()", "{x |", "{1 | 2,", "f(", "rego.v1", "data.x"),
    ]
    rng = random.Random(20)
    for _ in range(1500):
        text = " ".join(rng.choice(pieces) for _ in range(rng.randrange(1, 40)))
        for rego_version in (0, 1):
            try:
                parse_module("package a\n" + text, rego_version=rego_version)
            except RegoErrors as errors:
                errors.render()
