"""Fixtures: the shipped policies, compiled once, and examples judged by them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest

from adjudge.decision.model import Decision, RuleResult
from adjudge.decision.times import parse_time
from adjudge.documents.reading import read_yaml
from adjudge.evaluation import Case, Judge, Settings, evaluate
from adjudge.gate.release import load_release, release_input
from adjudge.gate.trustsettings import load_trust_file
from adjudge.policyset import PolicySet, load_policy_set

ROOT = Path(__file__).resolve().parents[2]
POLICIES = ROOT / "policies"
EXAMPLES = ROOT / "examples"
NOW = parse_time("2026-11-20")
"""When examples are judged."""

Decide: TypeAlias = Callable[..., Decision]
Overlay: TypeAlias = Callable[[str], Path]


@pytest.fixture(scope="session")
def shipped() -> PolicySet:
    """Every shipped policy, as a user's folder would be loaded."""
    return load_policy_set([POLICIES])


@pytest.fixture(scope="session")
def strict() -> Judge:
    """The collection ``strict`` with the settings of the example organisation."""
    return Judge(load_policy_set(["strict"], data=[EXAMPLES / "organisation" / "settings.yaml"]))


@pytest.fixture(scope="session")
def decide() -> Decide:
    """``decide(judge, path, trusted=False)``: the decision about a folder or file."""

    def decide(judge: Judge, path: Path, trusted: bool = False) -> Decision:
        trust = load_trust_file(EXAMPLES / "organisation" / "trust.yaml") if trusted else None
        release = load_release(path, trust=trust)
        case = Case(
            documents=release.artifacts,
            release=release.info,
            release_input=release_input(release, None, NOW),
            release_digest=release.digest,
            locate_release=release.locate,
        )
        return evaluate(judge, case, Settings(now_ns=NOW)).decision

    return decide


@pytest.fixture
def overlay(tmp_path: Path) -> Overlay:
    """Lays a broken case over the good release and gives the folder."""

    def overlay(case: str) -> Path:
        target = tmp_path / case
        shutil.copytree(EXAMPLES / "support-assistant", target)
        for name in expected(f"broken/{case}").get("remove", []):
            (target / name).unlink()
        files = EXAMPLES / "broken" / case / "files"
        if files.exists():
            shutil.copytree(files, target, dirs_exist_ok=True)
        return target

    return overlay


def expected(example: str) -> dict[str, Any]:
    """What ``expected.yaml`` of an example says."""
    file = EXAMPLES / example / "expected.yaml"
    value: dict[str, Any] = read_yaml(file.read_text("utf-8"), file.name).value
    return value


def cases() -> list[str]:
    """The names of the broken cases."""
    return sorted(p.parent.name for p in (EXAMPLES / "broken").glob("*/expected.yaml"))


def findings(results: tuple[RuleResult, ...]) -> list[dict[str, Any]]:
    """What was found, as ``expected.yaml`` writes it, sorted."""
    found = []
    for result in results:
        if result.outcome in ("pass", "not_applicable"):
            continue
        entry: dict[str, Any] = {"rule": result.rule_id, "outcome": result.outcome}
        if result.source is not None:
            entry |= {"file": result.source.file, "line": result.source.line}
        elif result.artifact is not None:
            entry["file"] = result.artifact
        found.append(entry)
    return in_order(found)


def in_order(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Findings by rule and place."""
    return sorted(found, key=lambda f: (f["rule"], f.get("file", ""), f.get("line", 0)))


@pytest.fixture(scope="session")
def maker() -> ModuleType:
    """``examples/make.py``."""
    return script("make")


def script(name: str) -> ModuleType:
    """A script of the examples as a module."""
    spec = importlib.util.spec_from_file_location(f"examples_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
