"""The console: complete, calm, within its width, and unbreakable."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from adjudge.decision.model import Source
from adjudge.exports.console import SHOWN_PER_RULE, render, terminal_options
from adjudge.exports.report import Options, Report


def shown(report: Report, **options: object) -> str:
    return render(replace(report, options=Options(**options)))  # type: ignore[arg-type]


def test_a_finding_says_what_where_and_what_to_do(denied: Report) -> None:
    text = shown(denied)
    assert text.startswith("DENIED  support-assistant 1.4.0 · production · acme\n")
    assert (
        "FAIL  high  PB-05  The model is pinned\n"
        "  “support-7b:latest” is a moving target\n"
        "  prompts/triage/2.1.0/config.yaml:6:8\n"
        "  6 │ model: support-7b:latest\n"
        "    │        ▲\n"
        "  fix  Name the model with its date or digest.\n"
        "  for  nist-ai-600-1/GV-1.6-003\n"
    ) in text


def test_everything_else_is_said_too(denied: Report) -> None:
    text = shown(denied)
    for part in (
        "in the policy prompt_bundle/tests.rego:31",
        "waived until 2026-12-01 by W-2026-012 (LEGAL-88, owner dana)",
        "clock_overridden  The evaluation time was given",
        "expired  W-2026-003 for SG-01: it has expired  waivers.yaml:12",
        "failed          12  MC-05, PB-05, SB-03, SG-01",
        f"decision  {denied.decision.decision_id}",
        f"digest    {denied.decision.digest}",
    ):
        assert part in text


def test_many_findings_of_a_rule_are_summed_up_unless_verbose(denied: Report) -> None:
    brief, full = shown(denied), shown(denied, verbose=True)
    assert brief.count("has no SHA-256") == SHOWN_PER_RULE
    assert "… and 6 more findings of this rule" in brief
    assert full.count("has no SHA-256") == 9
    assert "more findings" not in full


def test_passes_are_shown_only_when_verbose(allowed: Report) -> None:
    assert "The card parses" not in shown(allowed)
    text = shown(allowed, verbose=True)
    assert "MC-01  The card parses  model/README.md" in text
    assert 'read /facts/name = "support-7b"  line 2' in text
    assert "DT-01  Dataset licences are allowed" in text


def test_no_verdict(empty: Report) -> None:
    text = shown(empty)
    assert text.startswith("NO VERDICT")
    assert "no results" in text


@pytest.mark.parametrize("width", [20, 40, 80, 120])
@pytest.mark.parametrize("name", ["denied", "hostile", "allowed", "empty"])
def test_no_line_is_wider_than_the_page(
    name: str, width: int, request: pytest.FixtureRequest
) -> None:
    text = shown(request.getfixturevalue(name), width=width, verbose=True)
    # One cell more where a runner's command had to be broken by a backslash.
    assert max(cell_len(line) for line in text.split("\n")) <= width + 1


def test_colour_only_when_asked_for(denied: Report) -> None:
    assert "\x1b" not in shown(denied)
    colored = shown(denied, color=True)
    assert "\x1b[" in colored
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert "\x1b" not in plain
    assert "FAIL  critical  SG-01" in plain


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("width", [20, 80])
def test_hostile_text_is_spelled_out(hostile: Report, color: bool, width: int) -> None:
    text = shown(hostile, color=color, width=width, verbose=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028]", plain)
    assert "##[" not in plain
    assert not re.search(r"^\s*::", plain, re.MULTILINE)
    text.encode()


def test_rich_markup_is_not_interpreted(denied: Report) -> None:
    result = denied.decision.results[4].model_copy(update={"message": "[bold]x[/bold] [link=y]"})
    decision = denied.decision.model_copy(update={"results": (result,)})
    assert "[bold]x[/bold] [link=y]" in shown(replace(denied, decision=decision))


def test_a_line_of_a_megabyte_is_cut_around_the_caret(denied: Report) -> None:
    at = Source(file="big.json", line=1, column=500_001)
    result = denied.decision.results[4].model_copy(update={"source": at})
    decision = denied.decision.model_copy(update={"results": (result,)})
    line = "a" * 500_000 + "HERE" + "b" * 500_000
    text = shown(replace(denied, decision=decision, excerpts={("big.json", 1): line}))
    lines = text.split("\n")
    index = next(i for i, line in enumerate(lines) if "HERE" in line)
    assert lines[index].index("H") == lines[index + 1].index("▲")
    assert lines[index].endswith("…")
    assert len(lines[index]) <= 80


def test_a_redacted_line_is_withheld(denied: Report) -> None:
    at = Source(file="prompts/triage/2.1.0/config.yaml", line=9, column=1)
    (result,) = (r for r in denied.decision.results if r.rule_id == "PB-05")
    results = (result.model_copy(update={"source": at}),)
    report = replace(denied, decision=denied.decision.model_copy(update={"results": results}))
    text = shown(report)
    assert "not-a-real-key" not in text
    assert "line not shown" in text


def test_ascii(denied: Report, hostile: Report) -> None:
    for report in (denied, hostile):
        assert shown(report, unicode=False, verbose=True).isascii()


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("terminal", "environ", "expected"),
    [
        (True, {}, (True, 80, True)),
        (True, {"NO_COLOR": "1"}, (False, 80, True)),
        (True, {"TERM": "dumb"}, (False, 80, True)),
        (True, {"COLUMNS": "132"}, (True, 132, True)),
        (True, {"COLUMNS": "wide"}, (True, 80, True)),
        (False, {}, (False, 100, False)),
        (False, {"FORCE_COLOR": "1"}, (True, 100, False)),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, (False, 100, False)),
    ],
)
def test_what_a_stream_can_show(
    terminal: bool, environ: dict[str, str], expected: tuple[bool, int, bool]
) -> None:
    stream = _Terminal() if terminal else io.StringIO()
    assert terminal_options(stream, environ) == expected
