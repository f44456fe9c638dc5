"""Builders of rule results and decisions, as fixtures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adjudge.decision.assemble import make_decision
from adjudge.decision.model import (
    Context,
    Decision,
    Digest,
    EngineInfo,
    InputInfo,
    PolicyInfo,
    RuleResult,
    Subject,
)
from adjudge.decision.times import parse_time

NOW = parse_time("2026-11-20T09:30:00Z")


@pytest.fixture
def now() -> int:
    """The evaluation time of all tests, in nanoseconds since 1970."""
    return NOW


@pytest.fixture
def result() -> Callable[..., RuleResult]:
    """A failing result of rule MC-05 about card.md, with members replaced as asked."""

    def build(**changes: Any) -> RuleResult:
        members: dict[str, Any] = {
            "rule_id": "MC-05",
            "package": "model_card",
            "title": "Intended purpose is written",
            "severity": "high",
            "outcome": "fail",
            "message": "card.md does not say what the model is for",
            "artifact": "card.md",
        }
        return RuleResult(**{**members, **changes})

    return build


@pytest.fixture
def subjects() -> tuple[Subject, ...]:
    """A release and the one artifact in it."""
    return (
        Subject(name="assistant", kind="release", digest=Digest(sha256="e" * 64)),
        Subject(name="card", kind="model_card", path="card.md", digest=Digest(sha256="c" * 64)),
    )


@pytest.fixture
def decision(subjects: tuple[Subject, ...]) -> Callable[..., Decision]:
    """A decision over the given results, the same on every call."""

    def build(*results: RuleResult, **changes: Any) -> Decision:
        members: dict[str, Any] = {
            "time_ns": NOW,
            "results": results,
            "subject": subjects,
            "policy": PolicyInfo(name="baseline", digest="a" * 64),
            "engine": EngineInfo(name="adjudge", version="0.1.0"),
            "input": InputInfo(digest="b" * 64),
            "context": Context(),
            "entropy": bytes(range(10)),
        }
        return make_decision(**{**members, **changes})

    return build
