"""``adjudge lint``: formats, exit codes, suppressions and the shipped policies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adjudge.cli import main
from adjudge.policyset.lint import RULES

ROOT = Path(__file__).resolve().parents[2]
POLICY = """# METADATA
# scope: package
# title: T
# custom: {id: X-1, severity: low, applies_to: model_card, remediation: r, controls: [soc2/cc9.2]}
package x

# adjudge:ignore untested_rule: it is an example
deny contains "a" if input.facts.name != "b"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.rego").write_text(POLICY)
    return tmp_path


def test_findings_are_shown_with_place_and_fix(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lint"]) == 1
    out = capsys.readouterr().out
    assert "p.rego:8:22: warning fails_open" in out
    assert "input.facts.name may be missing" in out
    assert "  8 | deny contains" in out
    assert "fix: " in out
    assert out.endswith("1 warning in 1 file.\n")
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--fail-on", "error"], 0),
        (["--fail-on", "notice"], 1),
        (["--disable", "fails_open"], 0),
        (["--disable", "naming,fails_open"], 0),
    ],
)
def test_what_counts_is_chosen(folder: Path, arguments: list[str], code: int) -> None:
    assert main(["lint", "p.rego", *arguments]) == code


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    (finding,) = document["findings"]
    assert finding["code"] == "fails_open"
    assert finding["location"] == {"file": "p.rego", "row": 8, "col": 22}
    assert document["summary"] == {
        "error": 0,
        "warning": 1,
        "notice": 0,
        "files": 1,
        "compiled": True,
    }


def test_sarif_is_valid(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sarif_pydantic import Sarif  # type: ignore[import-untyped]

    assert main(["lint", "--format", "sarif"]) == 1
    text = capsys.readouterr().out
    Sarif.model_validate_json(text)
    (run,) = json.loads(text)["runs"]
    (result,) = run["results"]
    assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "fails_open"
    assert result["level"] == "warning"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "p.rego"
    assert place["region"] == {"startLine": 8, "startColumn": 22}


def test_annotations(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--format", "github"]) == 1
    first, last = capsys.readouterr().out.splitlines()
    assert first.startswith("::warning file=p.rego,line=8,col=22,title=fails_open::")
    assert last == "adjudge lint: 1 warning in 1 file."


def test_errors_of_the_compiler_are_findings(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "q.rego").write_text("package q\n\np if q(1)\n\nr if {\n")
    (folder / "y.yaml").write_text("apiVersion: adjudge/v1\nkind: Policy\nmetdata: {}\n")
    assert main(["lint", "--format", "json"]) == 1
    document = json.loads(capsys.readouterr().out)
    codes = {f["code"] for f in document["findings"]}
    assert "rego_parse_error" in codes
    assert any(code.startswith("yaml_policy_") for code in codes)
    assert all(f["severity"] == "error" for f in document["findings"])
    assert document["summary"]["compiled"] is False


def test_tests_beside_a_file_count(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = POLICY.replace("# adjudge:ignore untested_rule: it is an example\n", "")
    (folder / "p.rego").write_text(text)
    assert main(["lint", "p.rego", "--format", "json"]) == 1
    assert "untested_rule" in capsys.readouterr().out
    (folder / "p_test.rego").write_text("package x_test\n\ntest_a if data.x.deny\n")
    assert main(["lint", "p.rego", "--format", "json"]) == 1
    assert "untested_rule" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere"),
        (["empty"], "no_policies"),
        (["--disable", "fail_open"], "did you mean fails_open?"),
        (["--format", "xml"], "xml"),
        (["--as-of", "yesterday"], "yesterday"),
    ],
)
def test_what_cannot_be_done_is_no_verdict(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (folder / "empty").mkdir()
    assert main(["lint", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.out == ""


def test_the_rules_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lint", "--list-rules"]) == 0
    text = capsys.readouterr().out
    assert all(code in text for code in RULES)
    assert main(["lint", "--list-rules", "--format", "json"]) == 0
    rules: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [r["code"] for r in rules] == list(RULES)


def test_control_characters_do_not_reach_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "q.rego").write_text('package q\n\ndeny contains "\x1b[2J" if false # \x1b[2J\n')
    main(["lint"])
    assert "\x1b" not in capsys.readouterr().out


def test_the_shipped_policies_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["lint", str(ROOT / "policies"), "--fail-on", "notice"])
    assert code == 0, capsys.readouterr().out


def test_every_rule_is_documented() -> None:
    page = (ROOT / "docs/reference/lint.md").read_text()
    for rule in RULES.values():
        assert f"| `{rule.code}` | {rule.severity} |" in page
