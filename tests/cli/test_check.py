"""``adjudge check``: outcomes, outputs, waivers, time, data, logs."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from tests.cli.conftest import BAD_CARD, CARD, POLICY, YAML_POLICY, Result, Run, write

from adjudge.decision.model import Decision

CHECK = ("check", "release", "-p", "policies")
BAD = ("check", "bad", "-p", "policies")


def codes(result: Result) -> set[str]:
    """The degradations of a record on standard output."""
    return {d["code"] for d in result.json["degradations"]}


# --- outcomes -------------------------------------------------------------------------------------


def test_allow_deny_and_no_verdict(run: Run) -> None:
    allowed, denied = run(*CHECK), run(*BAD)
    assert (allowed.code, denied.code) == (0, 1)
    assert allowed.out.startswith("ALLOWED  release\n")
    assert denied.out.startswith("DENIED  release\n")
    assert "licence other is not allowed" in denied.out
    assert "README.md:2:10" in denied.out
    assert "\x1b" not in denied.out
    assert (allowed.err, denied.err) == ("", "")
    none = run("check", "release", "-p", "policies", "--kind", "README.md=generic")
    assert none.code == 2


def test_policies_in_yaml_count_like_those_in_rego(run: Run, work: Path) -> None:
    write(
        work, {"yaml/own.yaml": YAML_POLICY, "release/README.md": "---\nlicense: mit\n---\n# C\n"}
    )
    result = run("check", "release", "-p", "policies", "-p", "yaml")
    assert result.code == 1
    assert "README.md does not say what the model is for" in result.out


def test_the_default_is_this_folder(run: Run, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work / "bad")
    assert run("check", "-p", "../policies").code == 1


def test_single_files(run: Run) -> None:
    result = run("check", "bad/README.md", "release/README.md", "-p", "policies", "-o", "json=-")
    assert result.code == 1
    found = {
        (r["artifact"], r["outcome"]) for r in result.json["results"] if r["rule_id"] == "OWN-1"
    }
    assert found == {("bad/README.md", "fail"), ("release/README.md", "pass")}
    other = run("check", "release/README.md", "bad/README.md", "-p", "policies", "-o", "json=-")
    assert [r["evidence"] for r in other.json["results"]] == [
        r["evidence"] for r in result.json["results"]
    ]
    assert other.json["input"]["digest"] == result.json["input"]["digest"]


def test_warnings_block_only_when_asked(run: Run) -> None:
    assert run(*CHECK).code == 0
    strict = run(*CHECK, "--fail-on", "warn")
    assert strict.code == 1
    assert "no tags" in strict.out


# --- what is printed ------------------------------------------------------------------------------


def test_quiet_prints_nothing_and_verbose_more(run: Run) -> None:
    quiet = run(*BAD, "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (1, "", "")
    plain, verbose = run(*CHECK), run(*CHECK, "--verbose")
    assert "Passed" not in plain.out
    assert "Passed" in verbose.out
    assert "/facts/license/id" in verbose.out
    assert run("check", "nowhere", "--quiet").err.startswith("error: ")


def test_several_outputs_in_one_run(run: Run, work: Path) -> None:
    formats = ("json", "sarif", "junit", "github", "markdown", "html", "csv", "console")
    outputs = [word for f in formats for word in ("-o", f"{f}=out-{f}")]
    result = run(*BAD, *outputs)
    assert result.code == 1
    assert result.out.startswith("DENIED")
    assert {f.name for f in work.glob("out-*")} == {f"out-{f}" for f in formats}
    record = Decision.from_json((work / "out-json").read_text())
    assert record.outcome == "deny"
    assert record.decision_id in (work / "out-html").read_text()
    assert json.loads((work / "out-sarif").read_text())["version"] == "2.1.0"
    assert not list(work.glob(".adjudge-*"))


def test_an_output_on_standard_output_is_alone_there(run: Run) -> None:
    assert run(*BAD, "-o", "json=-").json["outcome"] == "deny"
    assert run(*BAD, "-o", "json").json["outcome"] == "deny"
    assert run(*BAD, "-o", "sarif=-", "-q").json["version"] == "2.1.0"


def test_width_and_color_are_those_of_the_reader(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert max(map(len, run(*BAD).out.splitlines()[:-1])) <= 66
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run(*BAD).out


# --- waivers, time, data --------------------------------------------------------------------------


def test_a_waived_finding_is_shown_as_waived(run: Run) -> None:
    result = run(*BAD, "-w", "waivers.yaml", "--as-of", "2026-03-01")
    assert result.code == 0
    assert "WAIVED  high  OWN-1" in result.out
    assert "waived until 2026-06-01 by W-1 (T-1, owner o): agreed" in result.out
    assert "1 failure is waived" in result.out


@pytest.mark.parametrize(
    ("as_of", "word"),
    [
        ("2025-12-31", "not_yet_valid"),
        ("2026-06-01T23:59:59Z", ""),
        ("2026-06-02", "expired"),
    ],
)
def test_a_waiver_holds_for_its_time(run: Run, as_of: str, word: str) -> None:
    result = run(*BAD, "-w", "waivers.yaml", "--as-of", as_of)
    assert result.code == (1 if word else 0)
    if word == "expired":
        assert "W-1 for OWN-1" in result.out


def test_an_unused_waiver_is_listed(run: Run) -> None:
    result = run(*CHECK, "-w", "waivers.yaml", "--as-of", "2026-03-01")
    assert result.code == 0
    assert "unused" in result.out


def test_as_of_is_the_time_of_the_decision(run: Run) -> None:
    first = run(*CHECK, "--as-of", "2026-03-01", "-o", "json=-")
    assert first.json["time"] == "2026-03-01T00:00:00Z"
    assert "clock_overridden" in codes(first)
    second = run(*CHECK, "--as-of", "2026-03-01T01:00:00+01:00", "-o", "json=-")
    assert second.json["time"] == "2026-03-01T00:00:00Z"


def test_rules_in_force_later_warn_until_then(run: Run, work: Path) -> None:
    dated = POLICY.replace(
        "#   severity: high\n", "#   severity: high\n#   effective_from: 2026-05-01\n"
    )
    write(work, {"policies/card.rego": dated})
    assert run(*BAD, "--as-of", "2026-04-30").code == 0
    assert run(*BAD, "--as-of", "2026-05-01").code == 1


def test_data_reaches_the_policies(run: Run, work: Path) -> None:
    write(work, {"d.yaml": "licences: {more: other}\n", "e.json": '{"more": 1}'})
    result = run(*BAD, "-d", "d.yaml", "--data", "e.json", "-o", "json=-")
    assert result.code == 0
    assert "data_injected" in codes(result)
    assert (
        result.json["input"]["data_digest"]
        != run(*BAD, "-o", "json=-").json["input"]["data_digest"]
    )


# --- kinds, manifests, raw files ------------------------------------------------------------------


def test_kind_forces_what_a_file_is(run: Run, work: Path) -> None:
    write(work, {"notes.txt": BAD_CARD})
    assert run("check", "notes.txt", "-p", "policies").code == 2
    result = run("check", "notes.txt", "-p", "policies", "--kind", "model_card", "-o", "json=-")
    assert result.code == 1
    assert "kinds_forced" in codes(result)


def test_a_manifest_may_stand_elsewhere(run: Run, work: Path) -> None:
    text = (
        "apiVersion: adjudge/v1\nkind: Release\nmetadata: {name: bot, version: 1.0.0}\n"
        "artifacts: [{path: README.md, kind: model_card}]\n"
    )
    write(work, {"elsewhere.yaml": text})
    result = run(*BAD, "--manifest", "elsewhere.yaml", "-o", "json=-")
    assert result.json["subject"][0]["name"] == "bot@1.0.0"
    assert run("check", "bad/README.md", "-p", "policies", "--manifest", "elsewhere.yaml").code == 2


CONFTEST = """package main

import rego.v1

deny contains msg if {
    input.kind == "Deployment"
    not input.spec.template.spec.securityContext.runAsNonRoot
    msg := "Containers must not run as root"
}

warn_latest contains {"msg": "latest"} if endswith(input.image, ":latest")

violation contains {"msg": "v", "details": {"n": 1}} if input.v
"""
DEPLOYMENT = "kind: Deployment\nspec: {template: {spec: {}}}\nimage: app:latest\n"


def test_conftest_policies_run_unchanged_on_raw_files(run: Run, work: Path) -> None:
    write(work, {"conftest/main.rego": CONFTEST, "k/deployment.yaml": DEPLOYMENT})
    result = run("check", "k/deployment.yaml", "--raw", "-p", "conftest", "-o", "json=-")
    assert result.code == 1
    found = {(r["outcome"], r["message"]) for r in result.json["results"]}
    assert found == {
        ("fail", "Containers must not run as root"),
        ("warn", "latest"),
        ("pass", ""),
    }
    assert "raw_input" in codes(result)


def test_a_raw_folder_is_all_its_files_whatever_they_are_called(run: Run, work: Path) -> None:
    write(
        work,
        {
            "conftest/main.rego": CONFTEST,
            "k/bom.json": '{"v": 1}',
            "k/deep/release.yaml": DEPLOYMENT,
            "k/x.toml": "v = true\n",
            "k/README.md": CARD,
            "k/.hidden.json": "{",
        },
    )
    result = run("check", "k", "--raw", "-p", "conftest", "-o", "json=-")
    assert result.err == ""
    failed = {r["artifact"] for r in result.json["results"] if r["outcome"] == "fail"}
    assert failed == {"k/bom.json", "k/deep/release.yaml", "k/x.toml"}
    (work / "none").mkdir()
    assert run("check", "none", "--raw", "-p", "conftest").error == "nothing_to_judge"


def test_old_rego_needs_its_flag(run: Run, work: Path) -> None:
    old = 'package main\n\ndeny[msg] {\n  input.v\n  msg := "old"\n}\n'
    write(work, {"old/main.rego": old, "x.json": '{"v": 1}'})
    refused = run("check", "x.json", "--raw", "-p", "old")
    assert refused.code == 2
    assert "main.rego:3" in refused.err
    assert "^" in refused.err
    assert run("check", "x.json", "--raw", "-p", "old", "--v0-compatible").code == 1


# --- what policies take no part -------------------------------------------------------------------


def test_what_takes_no_part_is_said(run: Run, work: Path) -> None:
    write(work, {"policies/near.yaml": "rules: [OWN-1]\n"})
    result = run(*CHECK, "-o", "json=-")
    (note,) = [d for d in result.json["degradations"] if d["code"] == "policy_files_skipped"]
    assert "near.yaml" in note["detail"][0]
    write(work, {"allow/x.rego": "package x\n\nallow := true\n"})
    none = run("check", "release", "-p", "allow", "-o", "json=-")
    assert none.code == 2
    assert "no_rules" in codes(none)


def test_a_folder_called_like_shipped_policies(run: Run, work: Path) -> None:
    write(work, {"baseline/card.rego": POLICY})
    result = run("check", "release", "-p", "baseline", "-o", "json=-")
    assert result.json["policy"]["name"] == "baseline"
    assert "policies_name_shared" in codes(result)
    own = run("check", "release", "-p", "./baseline", "-o", "json=-")
    assert "policies_name_shared" not in codes(own)
    assert own.code == 0


# --- the log --------------------------------------------------------------------------------------


def test_decisions_are_logged_and_reported(run: Run, work: Path) -> None:
    assert run(*CHECK, "--log", "log.db", "-q").code == 0
    assert run(*BAD, "--log", "log.db", "-q").code == 1
    assert (
        run(*BAD, "-w", "waivers.yaml", "--as-of", "2026-03-01", "--log", "log.db", "-q").code == 0
    )
    report = run("report", "--log", "log.db")
    assert report.json["outcomes"] == {"allow": 2, "deny": 1, "no_verdict": 0}
    recent = run("report", "--log", "log.db", "--since", "1h", "--format", "json")
    assert recent.json["outcomes"]["allow"] == 1
    early = run("report", "--log", "log.db", "--since", "2026-02-01", "--until", "2026-04-01")
    assert early.json["outcomes"] == {"allow": 1, "deny": 0, "no_verdict": 0}
    table = run("report", "--log", "log.db", "--format", "csv").out.splitlines()
    assert table[0].startswith('"decision_id","time","decision"')
    assert len(table) == 1 + 2 * 3
    assert run("report", "--log", "log.db", "-f", "html", "-o", "r.html").out == ""
    page = (work / "r.html").read_text()
    assert not re.search('<script(?! type="application/json")', page)
    assert "OWN-1" in page


def test_the_id_in_the_log_is_the_one_in_the_output(run: Run) -> None:
    record = run(*CHECK, "--log", "log.db", "-o", "json=-").json
    logged = run("report", "--log", "log.db").json["decisions"]
    assert [d["decision_id"] for d in logged] == [record["decision_id"]]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--log", "none.db"), "ledger_not_found"),
        (("--log", "release"), "ledger_unavailable"),
        (("--log", "waivers.yaml"), "ledger_unavailable"),
        (("--since", "yesterday"), "time_invalid"),
        (("--since", "10y"), "time_invalid"),
    ],
)
def test_reports_that_cannot_be(run: Run, words: tuple[str, ...], error: str) -> None:
    result = run("report", *words)
    assert (result.code, result.error) == (2, error)


def test_periods_beyond_what_a_log_holds(run: Run) -> None:
    assert run(*CHECK, "--log", "log.db", "-q").code == 0
    for since in ("999999999w", "0001-01-01"):
        report = run("report", "--log", "log.db", "--since", since, "--until", "9999-12-31")
        assert report.json["outcomes"]["allow"] == 1
    empty = run("report", "--log", "log.db", "--since", "1h", "--until", "2h")
    assert (empty.code, "ends before it begins" in empty.err) == (2, True)


def test_a_decision_beyond_the_times_of_a_log(run: Run) -> None:
    result = run(*CHECK, "--as-of", "9000-01-01", "--log", "log.db")
    assert (result.code, result.error) == (2, "ledger_write_failed")


# --- git ------------------------------------------------------------------------------------------


def test_paths_in_annotations_are_those_of_the_working_directory(run: Run, work: Path) -> None:
    result = run(*BAD, "-o", "github=-")
    assert "::error file=bad/README.md,line=2,col=10," in result.out
    uris = json.dumps(run(*BAD, "-o", "sarif=-").json["runs"][0]["results"])
    assert '"uri": "bad/README.md"' in uris
    os.chdir(work / "bad")
    assert (
        "::error file=README.md,line=2" in run("check", "-p", "../policies", "-o", "github=-").out
    )
