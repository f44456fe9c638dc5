"""The examples: what is judged comes out as ``expected.yaml`` beside it says."""

from __future__ import annotations

import base64
import json
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from adjudge.cli import main
from adjudge.evaluation import Judge
from adjudge.policyset import load_policy_set

from .conftest import EXAMPLES, ROOT, Decide, Overlay, cases, expected, findings, in_order, script

EXIT = {"allow": 0, "deny": 1}
RUN_AS_THEY_ARE = (
    "support-assistant",
    "support-assistant-broken",
    "sbom-only",
    "card-only",
    "rego-and-yaml",
)


def commands() -> list[Any]:
    """Every command of the examples, with what comes out."""
    return [
        pytest.param(run, id=f"{example}-{index}")
        for example in RUN_AS_THEY_ARE
        for index, run in enumerate(expected(example)["runs"])
    ]


@pytest.mark.parametrize("run", commands())
def test_commands(run: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    program, *arguments = shlex.split(run["command"])
    assert program == "adjudge"
    out = tmp_path / "decision.json"
    assert main([*arguments, "--output", f"json={out}", "--quiet"]) == EXIT[run["outcome"]]
    record = json.loads(out.read_text("utf-8"))
    assert record["outcome"] == run["outcome"]
    assert found_in(record) == in_order(run["findings"])


def found_in(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The findings of an exported decision, as ``expected.yaml`` writes them."""
    found = []
    for result in record["results"]:
        if result["outcome"] in ("pass", "not_applicable"):
            continue
        entry = {"rule": result["rule_id"], "outcome": result["outcome"]}
        if result["source"] is not None:
            entry |= {"file": result["source"]["file"], "line": result["source"]["line"]}
        elif result["artifact"] is not None:
            entry["file"] = result["artifact"]
        found.append(entry)
    return in_order(found)


@pytest.mark.parametrize("case", cases())
def test_broken_cases(case: str, strict: Judge, decide: Decide, overlay: Overlay) -> None:
    decision = decide(strict, overlay(case), trusted=True)
    assert decision.outcome == expected(f"broken/{case}")["outcome"] == "deny"
    assert findings(decision.results) == in_order(expected(f"broken/{case}")["findings"])


def test_the_good_release_passes_every_rule(strict: Judge, decide: Decide) -> None:
    decision = decide(strict, EXAMPLES / "support-assistant", trusted=True)
    assert (decision.outcome, findings(decision.results)) == ("allow", [])
    assert decision.degradations == ()


def test_nothing_is_expected_of_a_rule_that_is_not_there() -> None:
    known = {rule.id for rule in load_policy_set(["strict"]).rules}
    for case in cases():
        assert {f["rule"] for f in expected(f"broken/{case}")["findings"]} <= known


def test_every_case_is_listed() -> None:
    page = (EXAMPLES / "broken" / "README.md").read_text("utf-8")
    for case in cases():
        found = expected(f"broken/{case}")
        rules = ", ".join(dict.fromkeys(f["rule"] for f in found["findings"]))
        assert f"[{case}]({case}/expected.yaml) | {found['title']} | {rules} |" in page


def test_the_demo_shows_one_denied_and_one_allowed(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    assert script("demo").run() == 0
    shown = capfd.readouterr().out
    assert shown.index("DENIED") < shown.index("ALLOWED")


# --- what make.py makes --------------------------------------------------------------------------


def test_made_files_are_current(maker: ModuleType) -> None:
    """Everything but signatures and keys is what ``make.py`` makes of the good release."""
    assert maker.good(maker.WEIGHTS) == maker.weights()
    for name, case in maker.CASES_BY_NAME.items():
        files = EXAMPLES / "broken" / name / "files"
        made = maker.changed(case, maker.good)
        present = {p.relative_to(files).as_posix() for p in files.rglob("*") if p.is_file()}
        assert {p for p in present if not p.endswith(".sig")} == made.keys(), name
        for path, data in made.items():
            assert (files / path).read_bytes() == data, (name, path)


def test_the_broken_release_is_current(maker: ModuleType) -> None:
    files = {
        path.relative_to(maker.RELEASE).as_posix(): path.read_bytes()
        for path in maker.RELEASE.rglob("*")
        if path.is_file() and path.suffix != ".sig" and path.name not in maker.OWN
    }
    for case in maker.TOGETHER:
        files |= maker.changed(maker.CASES_BY_NAME[case], files.__getitem__)
    for name, data in files.items():
        assert (maker.BROKEN / name).read_bytes() == data, name


def test_no_private_key_is_kept_and_signatures_fit(maker: ModuleType) -> None:
    public = load_pem_public_key((EXAMPLES / "organisation" / "release.pub").read_bytes())
    for name in maker.SIGNED:
        signature = base64.b64decode(maker.good(f"{name}.sig"))
        public.verify(signature, maker.good(name))  # type: ignore[union-attr, call-arg]
    for path in EXAMPLES.rglob("*"):
        if path.is_file():
            assert b"PRIVATE KEY" not in path.read_bytes(), path
