"""What is counted, in which order findings stand, and which lines may be quoted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adjudge.decision.model import Evidence, Source
from adjudge.decision.redaction import RedactionPolicy
from adjudge.exports.excerpt import MAX_EXCERPT, cut_excerpt
from adjudge.exports.report import Report, control_parts, evidence_text, lines_wanted, plural


def test_counts_and_sentence(denied: Report, allowed: Report, empty: Report) -> None:
    assert denied.counts == {
        "fail": 12,
        "error": 1,
        "warn": 1,
        "waived": 1,
        "pass": 2,
        "not_applicable": 1,
    }
    assert denied.sentence == "13 findings block this release."
    assert allowed.sentence == "Nothing blocks this release."
    assert empty.sentence == "No rule applied to anything, so nothing was decided."
    assert (denied.verdict, denied.title) == ("Denied", "support-assistant 1.4.0")


def test_warnings_block_when_asked_to(denied: Report) -> None:
    context = denied.decision.context.model_copy(update={"fail_on": "warn"})
    decision = denied.decision.model_copy(update={"context": context})
    assert replace(denied, decision=decision).blocking == 14


def test_the_most_urgent_comes_first(denied: Report) -> None:
    order = [(g.first.outcome, g.first.severity, g.first.rule_id) for g in denied.groups]
    assert order == [
        ("fail", "critical", "SG-01"),
        ("fail", "high", "MC-05"),
        ("fail", "high", "PB-05"),
        ("fail", "medium", "SB-03"),
        ("error", "high", "PB-10"),
        ("warn", "low", "MC-18"),
        ("waived", "medium", "MC-04"),
    ]
    assert [len(g.results) for g in denied.groups] == [1, 1, 1, 9, 1, 1, 1]


def test_an_excerpt_points_at_the_column(denied: Report) -> None:
    excerpt = denied.excerpt(Source(file="model/README.md", line=4, column=10))
    assert excerpt is not None
    assert (excerpt.text, excerpt.column) == ("license: cc-by-nc-4.0", 10)
    assert denied.excerpt(Source(file="model/README.md", line=5, column=1)) is None
    assert denied.excerpt(None) is None


def test_a_line_with_a_redacted_value_is_not_quoted(denied: Report) -> None:
    place = Source(file="prompts/triage/2.1.0/config.yaml", line=9, column=1)
    assert (place.file, place.line) in denied.excerpts
    assert denied.excerpt(place) is None
    assert denied.is_redacted(place)


def test_secrets_in_a_quoted_line_are_replaced(denied: Report) -> None:
    secret = "ghp_" + "a" * 36
    report = replace(denied, excerpts={("f", 1): f"key: {secret} # {'x' * 10}"})
    at = {
        column: report.excerpt(Source(file="f", line=1, column=column))
        for column in (1, 6, 20, 47, 500)
    }
    mark = "[redacted: github_token]"
    for excerpt in at.values():
        assert excerpt is not None
        assert excerpt.text == f"key: {mark} # {'x' * 10}"
    columns = {column: excerpt.column for column, excerpt in at.items() if excerpt}
    assert columns == {1: 1, 6: 6, 20: 6, 47: 31, 500: len(f"key: {mark} # ") + 11}


def test_a_secret_is_found_in_a_line_of_megabytes(denied: Report) -> None:
    secret = "AKIA" + "A" * 16
    line = "x " * 500_000 + secret + " y" * 500_000
    report = replace(denied, excerpts={("f", 1): line})
    excerpt = report.excerpt(Source(file="f", line=1, column=1_000_010))
    assert excerpt is not None
    assert len(excerpt.text) <= MAX_EXCERPT + 50
    assert secret[:8] not in excerpt.text
    assert excerpt.cut_before
    assert excerpt.cut_after


@pytest.mark.parametrize("room", [10, 20, 60, 200])
@pytest.mark.parametrize("column", [1, 5, 40, 100, 120])
def test_fitting_keeps_the_column_in_sight(room: int, column: int) -> None:
    excerpt = cut_excerpt("".join(chr(97 + n % 26) for n in range(120)), column, [])
    before, after = excerpt.fit(room)
    assert len(before) + len(after) <= room
    if column <= 120:
        assert after[0] == chr(97 + (column - 1) % 26)


def test_wide_characters_count_twice() -> None:
    before, after = cut_excerpt("日" * 50, 40, []).fit(20)
    assert before.startswith("…")
    assert 2 * (len(before) - 1) + 1 + 2 * (len(after) - 1) + 1 <= 20


def test_the_caller_learns_which_lines_to_supply(denied: Report, allowed: Report) -> None:
    wanted = lines_wanted(denied.decision)
    assert {("model/README.md", 31), ("model/README.md", 4), ("sbom.cdx.json", 118)} < wanted
    assert len(wanted) == 12
    assert lines_wanted(allowed.decision) == frozenset()


def test_small_words() -> None:
    assert plural(1, "finding") == "1 finding"
    assert plural(1200, "finding") == "1,200 findings"
    assert control_parts("eu-ai-act/13.3/b") == ("eu-ai-act", "13.3/b")
    assert control_parts("internal") == ("", "internal")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", '"a"'),
        (None, "null"),
        (10**20, "100000000000000000000"),
        ("x" * 5000, "sha256 "),
        ({"password": "y"}, "redacted: secret_name"),
    ],
)
def test_evidence_in_words(value: object, text: str) -> None:
    assert evidence_text(RedactionPolicy().evidence("a", "/x", value)).startswith(text)


def test_absent_evidence_in_words() -> None:
    assert evidence_text(Evidence(artifact="a", pointer="/x", recorded="absent")) == "nothing there"
