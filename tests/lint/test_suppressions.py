"""Comments that suppress findings, with a reason."""

from __future__ import annotations

import pytest
from tests.lint.conftest import HEAD, Lint

DEAD = 'deny contains "a" if input.facts\n\n'


@pytest.mark.parametrize(
    "text",
    [
        f"{DEAD}helper := 1 # adjudge:ignore dead_rule: queried by hand\n",
        f"{DEAD}# adjudge:ignore dead_rule: queried by hand\nhelper := 1\n",
        f"{DEAD}# adjudge:ignore dead_rule: queried by hand\n# more words\n\nhelper := 1\n",
        f"# adjudge:ignore-file dead_rule: all of it is queried\n\n{DEAD}helper := 1\n",
        f"{DEAD}isOdd := 1 # adjudge:ignore dead_rule, naming: as others call it\n",
    ],
)
def test_a_finding_is_suppressed(linted: Lint, text: str) -> None:
    assert linted(text) == []


def test_without_a_reason_nothing_is_suppressed(linted: Lint) -> None:
    for comment in ("# adjudge:ignore dead_rule", "# adjudge:ignore dead_rule:  "):
        found = linted(f"{DEAD}helper := 1 {comment}\n")
        assert [f.code for f in found] == ["dead_rule", "suppression_without_reason"]
        assert found[1].hint == "write # adjudge:ignore dead_rule: why"


def test_codes_are_checked(linted: Lint) -> None:
    found = linted(f"{DEAD}# adjudge:ignore dead_rul: why\n")
    assert [f.code for f in found] == ["suppression_unknown"]
    assert found[0].hint == "did you mean dead_rule?"


def test_what_suppresses_nothing_is_found(linted: Lint) -> None:
    found = linted(f"# adjudge:ignore print_call: why\n{DEAD}")
    assert [(f.code, f.severity) for f in found] == [("suppression_unused", "notice")]


def test_text_in_a_string_is_no_comment(linted: Lint) -> None:
    found = linted('deny contains "# adjudge:ignore dead_rule: x" if input.facts\n\nhelper := 1\n')
    assert [f.code for f in found] == ["dead_rule"]


def test_yaml_comments_suppress(linted: Lint) -> None:
    text = """apiVersion: adjudge/v1
kind: Policy
# adjudge:ignore-file metadata_incomplete: the remediation stands in the handbook
metadata: {id: Y-1, title: T, severity: low}
applies_to: model_card
deny:
  - message: m
    when: {path: facts.name, is: missing}
"""
    assert linted({"y.yaml": text}) == []


def test_the_head_has_nothing_to_find(linted: Lint) -> None:
    assert linted({"p.rego": HEAD + 'deny contains "a" if input.facts\n'}) == []
