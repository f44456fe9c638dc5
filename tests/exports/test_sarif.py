"""SARIF: valid, as GitHub code scanning wants it, and within its limits."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from adjudge.decision.model import RuleResult, Source
from adjudge.exports import sarif
from adjudge.exports.report import Options, Report


def log_of(report: Report) -> dict[str, Any]:
    log = json.loads(sarif.render(report))
    assert isinstance(log, dict)
    return log


def run_of(report: Report) -> dict[str, Any]:
    (run,) = log_of(report)["runs"]
    assert isinstance(run, dict)
    return run


@pytest.fixture(params=["denied", "allowed", "empty", "hostile"])
def any_report(request: pytest.FixtureRequest) -> Report:
    report = request.getfixturevalue(request.param)
    assert isinstance(report, Report)
    return report


def test_it_is_sarif(any_report: Report) -> None:
    parsed = Sarif.model_validate(log_of(any_report))
    assert parsed.version == "2.1.0"


def test_what_github_demands_of_results_and_rules(any_report: Report) -> None:
    run = run_of(any_report)
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("note", "warning", "error")
        properties = rule["properties"]
        assert "security" in properties["tags"]
        assert len(properties["tags"]) <= 20
        assert isinstance(properties["security-severity"], str)
        assert 0 < float(properties["security-severity"]) <= 10
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        (location,) = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[A-Za-z0-9!$&'()*+,;=@~._/%-]+", uri)
        assert not re.search(r"%(?![0-9A-F]{2})", uri)
        region = location["physicalLocation"]["region"]
        assert 1 <= region["startLine"] <= region["endLine"]
        assert 1 <= region["startColumn"] < region["endColumn"]
        fingerprint = result["partialFingerprints"]["primaryLocationLineHash"]
        assert re.fullmatch(r"[0-9a-f]{16}:[1-9][0-9]*", fingerprint)


def test_fingerprints_are_unique(any_report: Report) -> None:
    results = run_of(any_report)["results"]
    fingerprints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]
    assert len(set(fingerprints)) == len(fingerprints)


def test_passes_are_no_alerts(denied: Report) -> None:
    levels = [(r["ruleId"], r["level"]) for r in run_of(denied)["results"]]
    assert ("MC-01", "error") not in levels
    assert len(levels) == 15
    assert ("MC-18", "warning") in levels
    assert ("PB-10", "error") in levels


def test_regions_cover_the_line(denied: Report) -> None:
    (result,) = (r for r in run_of(denied)["results"] if r["ruleId"] == "PB-05")
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {
        "startLine": 6,
        "startColumn": 8,
        "endLine": 6,
        "endColumn": 25,
        "snippet": {"text": "model: support-7b:latest"},
    }


def test_fingerprints_survive_moved_lines_and_changed_numbers(denied: Report) -> None:
    def fingerprint(change: dict[str, Any], line: int) -> str:
        (result,) = (r for r in denied.decision.results if r.rule_id == "MC-18")
        at = Source(file="model/README.md", line=line, column=10)
        changed = result.model_copy(update={"source": at, **change})
        decision = denied.decision.model_copy(update={"results": (changed,)})
        excerpts = {("model/README.md", line): "license: cc-by-nc-4.0"}
        run = run_of(replace(denied, decision=decision, excerpts=excerpts))
        value = run["results"][0]["partialFingerprints"]["primaryLocationLineHash"]
        assert isinstance(value, str)
        return value

    first = fingerprint({}, 4)
    assert fingerprint({"message": "205 days ago"}, 9) == first
    assert fingerprint({"rule_id": "MC-19"}, 4) != first


def test_waivers_are_suppressions_as_the_final_standard_has_them(denied: Report) -> None:
    suppressed = [r for r in run_of(denied)["results"] if "suppressions" in r]
    assert [r["ruleId"] for r in suppressed] == ["MC-04"]
    (suppression,) = suppressed[0]["suppressions"]
    assert suppression["kind"] == "external"
    assert suppression["status"] == "accepted"
    assert suppression["justification"].startswith("W-2026-012 until 2026-12-01: Internal pilot")


def test_controls_are_taxonomies(denied: Report) -> None:
    run = run_of(denied)
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    for relation in rules["SG-01"]["relationships"]:
        target = relation["target"]
        taxonomy = run["taxonomies"][target["toolComponent"]["index"]]
        assert taxonomy["name"] == target["toolComponent"]["name"]
        assert taxonomy["taxa"][target["index"]]["id"] == target["id"]
    assert [r["target"]["id"] for r in rules["SG-01"]["relationships"]] == ["15.5", "AML.M0013"]


def test_findings_without_a_file_stand_at_the_manifest(denied: Report) -> None:
    release = [r.model_copy(update={"artifact": None, "source": None}) for r in denied.findings[:1]]
    decision = denied.decision.model_copy(update={"results": tuple(release)})
    for options, uri in (
        (
            Options(fallback_path="apps/x/release.yaml", path_prefix="apps/x/"),
            "apps/x/release.yaml",
        ),
        (Options(), "release.yaml"),
    ):
        run = run_of(replace(denied, decision=decision, options=options))
        location = run["results"][0]["locations"][0]["physicalLocation"]
        assert location["artifactLocation"]["uri"] == uri
        assert location["region"]["startLine"] == 1


def test_paths_are_from_the_root_of_the_repository(denied: Report) -> None:
    run = run_of(replace(denied, options=Options(path_prefix="apps/my app/")))
    uris = {
        r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for r in run["results"]
    }
    assert "apps/my%20app/model/README.md" in uris


def test_degradations_are_notifications(denied: Report, empty: Report) -> None:
    (invocation,) = run_of(denied)["invocations"]
    notes = [n["descriptor"]["id"] for n in invocation["toolExecutionNotifications"]]
    assert notes == ["clock_overridden", "offline"]
    assert invocation["executionSuccessful"]
    assert not run_of(empty)["invocations"][0]["executionSuccessful"]


def test_hostile_text(hostile: Report) -> None:
    text = sarif.render(hostile)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]", text)
    assert "##[" not in text
    for result in run_of(hostile)["results"]:
        assert "](" not in result["message"]["text"]


def many(report: Report, count: int, message: str = "x") -> Report:
    (model,) = (r for r in report.decision.results if r.rule_id == "MC-05")
    results = tuple(
        RuleResult.model_construct(**{**dict(model), "message": message, "pointer": f"/{n}"})
        for n in range(count)
    )
    first = report.findings[0]
    decision = report.decision.model_copy(update={"results": (*results, first)})
    return replace(report, decision=decision)


def test_the_most_urgent_results_are_kept_within_the_limit(
    denied: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "MAX_RESULTS", 100)
    run = run_of(many(denied, 150))
    assert len(run["results"]) == 100
    assert run["results"][0]["ruleId"] == "SG-01"
    note = run["invocations"][0]["toolExecutionNotifications"][-1]
    assert note["descriptor"]["id"] == "results_left_out"
    assert note["message"]["text"].startswith("51 findings are left out")


def test_the_compressed_size_is_kept_within_the_limit(
    denied: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sarif, "MAX_GZIP_BYTES", 4_000)
    text = sarif.render(many(denied, 3_000))
    assert len(gzip.compress(text.encode())) <= 4_000
    results = json.loads(text)["runs"][0]["results"]
    assert 0 < len(results) < 3_000
