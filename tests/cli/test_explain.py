"""``adjudge explain``: over releases and files, over one's own Rego, in text and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from adjudge.cli import main

CARD = "---\nlicense: LICENCE\n---\n# Card\n\n## Intended use\n\nAnswering questions.\n"
POLICY = """package own.card

# METADATA
# title: The licence is allowed
# custom: {id: OWN-1, severity: high, applies_to: model_card}
deny contains {"msg": msg, "pointer": "/facts/license"} if {
	not allowed
	msg := sprintf("licence %s is not allowed", [input.facts.license.id])
}

allowed if input.facts.license.id in {"mit", "isc"}
"""
YAML = """apiVersion: adjudge/v1
kind: Policy
metadata: {id: OWN-2, title: The name is long enough, severity: low}
applies_to: model_card
deny:
  - message: "{path} has a short name"
    when: {path: facts.name, length: {lt: 12}}
"""
AUTHZ = """package authz

default allow := false

allow if {
	input.user.role == "admin"
	input.level >= data.least
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own/licence.rego").write_text(POLICY)
    (tmp_path / "own/name.yaml").write_text(YAML)
    (tmp_path / "README.md").write_text(CARD.replace("LICENCE", "gpl-3.0"))
    (tmp_path / "authz.rego").write_text(AUTHZ)
    (tmp_path / "least.json").write_text('{"least": 3}')
    (tmp_path / "in.json").write_text('{\n "user": {"role": "dev"},\n "level": 5\n}\n')
    return tmp_path


def documents(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_a_rule_that_fired(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "OWN-1", "-p", "own", "--over", "README.md"]) == 0
    out = capsys.readouterr().out
    assert "OWN-1: The licence is allowed" in out
    assert "README.md (model_card): it fails" in out
    assert "! licence gpl-3.0 is not allowed" in out
    assert "deny holds  own/licence.rego:6" in out
    assert "yes not allowed" in out
    assert re.search("allowed does not hold +:11\n", out)
    assert 'input.facts.license.id = "gpl-3.0"' in out
    assert '/facts/license/id = "gpl-3.0"  (README.md:2)' in out
    assert "It would pass with 1 change" in out
    assert 'change /facts/license/id from "gpl-3.0" to' in out
    assert max(map(len, out.splitlines())) <= 100


def test_a_rule_that_did_not_fire(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "README.md").write_text(CARD.replace("LICENCE", "mit"))
    assert main(["explain", "OWN-1", "-p", "own", "--over", "README.md"]) == 0
    out = capsys.readouterr().out
    assert "it passes" in out
    assert "NO  not allowed" in out
    assert "It would find something with 1 change" in out


def test_json_holds_a_patch(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "OWN-1", "-p", "own", "--over", "README.md", "--format", "json"]
    assert main(arguments) == 0
    (rule,) = documents(capsys)
    (explanation,) = rule["explanations"]
    assert explanation["outcome"] == "fail"
    (operation,) = explanation["counterfactual"]["patch"]
    assert operation["op"] == "replace"
    assert operation["path"] == "/facts/license/id"
    assert operation["value"] in ("mit", "isc")
    (change,) = explanation["counterfactual"]["changes"]
    assert change["location"] == {"file": "README.md", "row": 2, "col": 10}
    (clause,) = explanation["clauses"]
    assert clause["expressions"][0]["status"] == "held"


def test_a_yaml_rule(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "OWN-2", "-p", "own", "--over", "README.md"]) == 0
    out = capsys.readouterr().out
    assert "own/name.yaml:6" in out
    assert "NO" in out or "yes" in out
    assert "with 1 change" in out


def test_the_release_and_every_artifact(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "OWN-1", "OWN-2", "-p", "own", "--over", "."]) == 0
    out = capsys.readouterr().out
    assert out.count("README.md (model_card)") == 2


def test_what_does_not_apply(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "SB-03", "--over", "README.md", "--no-flip"]) == 0
    assert "It does not apply: what is judged has no" in capsys.readouterr().out


def test_without_the_search(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "OWN-1", "-p", "own", "--over", "README.md", "--no-flip"]) == 0
    assert "change" not in capsys.readouterr().out


def test_ones_own_rego(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "data.authz.allow", "-d", "authz.rego", "-d", "least.json"]
    assert main([*arguments, "-i", "in.json"]) == 0
    out = capsys.readouterr().out
    assert "in.json: it is false" in out
    assert "default allow holds" in out
    assert 'NO  input.user.role == "admin"' in out
    assert '/user/role = "dev"  (in.json:2)' in out
    assert 'change /user/role from "dev" to "admin"  (in.json:2)' in out


def test_ones_own_rego_in_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["explain", "data.authz.allow", "-d", "authz.rego", "-d", "least.json"]
    assert main([*arguments, "-i", "in.json", "-f", "json"]) == 0
    document = documents(capsys)
    assert document["rule"] == "data.authz.allow"
    patch = document["explanations"][0]["counterfactual"]["patch"]
    assert patch == [{"op": "replace", "path": "/user/role", "value": "admin"}]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["OWN-1", "-p", "own", "--over", "nowhere"], "nowhere"),
        (["OWN-9", "-p", "own", "--over", "README.md"], "did you mean OWN-"),
        (["OWN-1", "-p", "own", "--over", "README.md", "--as", "rego"], "text or json"),
        (["OWN-1", "-p", "own", "--over", "README.md", "--as-of", "soon"], "soon"),
        (["data.authz.alow", "-d", "authz.rego", "-i", "in.json"], "did you mean data.authz.allow"),
        (["data.authz[x]", "-d", "authz.rego", "-i", "in.json"], "not the name of a rule"),
        (["data.authz.allow", "-d", "authz.rego", "-i", "gone.json"], "gone.json"),
        (["data.authz.allow", "-d", "gone.rego"], "gone.rego"),
        (["data.authz.allow", "data.b.c", "-d", "authz.rego"], "one rule"),
        (["data.authz.allow", "--over", "README.md"], "--over"),
        (["OWN-1", "--over", ""], "is empty"),
    ],
)
def test_what_cannot_be_done(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["explain", *arguments]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert "internal error" not in captured.err
    assert captured.out == ""


def test_secrets_are_not_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = "ghp_" + "a1B2" * 9
    (folder / "README.md").write_text(CARD.replace("LICENCE", secret))
    main(["explain", "OWN-1", "-p", "own", "--over", "README.md"])
    main(["explain", "OWN-1", "-p", "own", "--over", "README.md", "-f", "json"])
    captured = capsys.readouterr()
    assert secret not in captured.out
    assert secret not in captured.err


def test_control_characters_do_not_reach_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "in.json").write_text('{"user": {"role": "\\u001b[2J"}, "\\u001b[1m": 1}')
    main(["explain", "data.authz.allow", "-d", "authz.rego", "-d", "least.json", "-i", "in.json"])
    assert "\x1b" not in capsys.readouterr().out
