"""JSON, JUnit, annotations and CSV, read back by what will read them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from junitparser import Error, Failure, JUnitXml, Skipped

from adjudge.decision.model import Decision
from adjudge.decision.schemas import schema_text
from adjudge.exports import csv_, github, json_, junit
from adjudge.exports.report import Options, Report

REPORTS = ["denied", "allowed", "empty", "hostile"]


@pytest.fixture(params=REPORTS)
def any_report(request: pytest.FixtureRequest) -> Report:
    report = request.getfixturevalue(request.param)
    assert isinstance(report, Report)
    return report


def no_runner_commands(text: str) -> bool:
    return "##[" not in text and not re.search(r"^\s*::", text, re.MULTILINE)


# JSON


def test_json_is_the_record(any_report: Report) -> None:
    text = json_.render(any_report)
    assert Decision.from_json(text) == any_report.decision
    document = json.loads(text)
    assert document["digest"] == any_report.decision.digest
    validator = Draft202012Validator(json.loads(schema_text("decision-v1.json")))
    assert list(validator.iter_errors(document)) == []


def test_json_holds_nothing_a_terminal_or_runner_acts_on(hostile: Report) -> None:
    text = json_.render(hostile)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202a-\u202e\u2066-\u2069]", text)
    assert no_runner_commands(text)
    assert "</script>" not in json_.dumps_for_html(hostile.decision.document())


# JUnit


def cases(report: Report) -> dict[str, Any]:
    xml = JUnitXml.fromstring(junit.render(report).encode())
    return {case.name: case for suite in xml for case in suite}


def test_junit_tells_every_outcome(denied: Report) -> None:
    found = cases(denied)
    kinds = {name.split(":")[0]: [type(r) for r in case.result] for name, case in found.items()}
    assert kinds == {
        "SG-01": [Failure],
        "MC-05": [Failure],
        "PB-05": [Failure],
        "SB-03": [Failure],
        "PB-10": [Error],
        "MC-18": [],
        "MC-04": [Skipped],
        "MC-01": [],
        "MC-02": [],
        "DT-01": [Skipped],
    }
    (failure,) = found["SB-03: Every component has a strong hash [sbom.cdx.json]"].result
    assert failure.text.count("has no SHA-256") == 9
    assert "at sbom.cdx.json:118:7" in failure.text
    warning = found["MC-18: The card is fresh [model/README.md]"]
    assert "204 days" in warning.system_out


def test_junit_counts_agree(denied: Report) -> None:
    xml = JUnitXml.fromstring(junit.render(denied).encode())
    stated = (xml.tests, xml.failures, xml.errors, xml.skipped)
    assert stated == (10, 4, 1, 2)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == stated


def test_warnings_fail_when_they_block(denied: Report) -> None:
    context = denied.decision.context.model_copy(update={"fail_on": "warn"})
    decision = denied.decision.model_copy(update={"context": context})
    found = cases(replace(denied, decision=decision))
    assert [type(r) for r in found["MC-18: The card is fresh [model/README.md]"].result] == [
        Failure
    ]


def test_junit_survives_hostile_text(hostile: Report) -> None:
    text = junit.render(hostile)
    assert no_runner_commands(text)
    assert "<script" not in text
    (case,) = cases(hostile).values()
    assert "##[error]pwned <script>" in case.result[0].text
    assert "\\x1b[31m" in case.result[0].text


def test_junit_of_nothing(empty: Report) -> None:
    assert JUnitXml.fromstring(junit.render(empty).encode()).tests == 0


# GitHub


def unescape(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def commands(report: Report) -> list[tuple[str, dict[str, str], str]]:
    """The annotations as the runner reads them."""
    found = []
    for line in github.render(report).splitlines():
        match = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
        if match:
            pairs = (part.split("=", 1) for part in match[2].split(","))
            properties = {name: unescape(value) for name, value in pairs}
            found.append((match[1], properties, unescape(match[3])))
    return found


def test_annotations(denied: Report) -> None:
    found = commands(denied)
    assert [kind for kind, _, _ in found] == ["error"] * 10 + ["warning", "notice"]
    _, properties, message = found[2]
    assert properties == {
        "file": "prompts/triage/2.1.0/config.yaml",
        "line": "6",
        "col": "8",
        "title": "PB-05 (high) The model is pinned",
    }
    assert message.endswith("\nFix: Name the model with its date or digest.")
    assert "adjudge: 3 more errors not annotated" in github.render(denied)


def test_annotations_stand_where_the_repository_has_the_file(denied: Report) -> None:
    options = Options(path_prefix="release/", fallback_path="release/release.yaml")
    results = [r.model_copy(update={"artifact": None, "source": None}) for r in denied.findings[:1]]
    decision = denied.decision.model_copy(update={"results": (*results, *denied.findings[1:])})
    found = commands(replace(denied, decision=decision, options=options))
    assert found[0][1]["file"] == "release/release.yaml"
    assert found[1][1]["file"] == "release/model/README.md"


def test_hostile_text_makes_no_command_of_its_own(hostile: Report, hostile_text: str) -> None:
    found = commands(hostile)
    assert [kind for kind, _, _ in found] == ["error", "error", "warning", "notice"]
    for _, properties, message in found:
        assert set(properties) == {"file", "line", "col", "title"}
        assert "\\x1b[31m" in message
        assert "::error file=x::pwned" in message
    text = github.render(hostile)
    assert len(text.splitlines()) == 5
    assert "##[" not in text
    assert text.splitlines()[-1].startswith("adjudge: ")


# CSV


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_.render(report), newline="")))


def test_csv_has_a_row_per_result(denied: Report) -> None:
    found = rows(denied)
    assert len(found) == len(denied.decision.results)
    (pinned,) = (row for row in found if row["rule_id"] == "PB-05")
    assert pinned["file"] == "prompts/triage/2.1.0/config.yaml"
    assert (pinned["line"], pinned["column"], pinned["outcome"]) == ("6", "8", "fail")
    assert pinned["decision_digest"] == denied.decision.digest
    (waived,) = (row for row in found if row["outcome"] == "waived")
    assert (waived["waiver"], waived["waiver_owner"]) == ("W-2026-012", "dana")


def test_csv_of_nothing_still_names_the_decision(empty: Report) -> None:
    (row,) = rows(empty)
    assert (row["decision"], row["rule_id"]) == ("no_verdict", "")


def test_csv_holds_no_formula(hostile: Report) -> None:
    results = tuple(
        result.model_copy(update={"message": text, "artifact": text})
        for result, text in zip(
            hostile.decision.results, ["=cmd()", "+1", "-1", "@x", "\t=1", "\r\n=1"], strict=True
        )
    )
    decision = hostile.decision.model_copy(update={"results": results})
    text = csv_.render(replace(hostile, decision=decision))
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not re.match(r"\s*[=+\-@|]", cell)
    assert no_runner_commands(text)
    assert "\x00" not in text
