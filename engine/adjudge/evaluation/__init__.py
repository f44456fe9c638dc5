"""A policy set, documents and a clock in, a decision out: the only place where these meet.

Every clause of a rule that the gate asks (``deny``, ``warn``, ``violation``) is run on
its own, over the release or over each artifact of its kind, with its reads recorded.
What a clause finds becomes failures; that it found nothing becomes a pass with what it
looked at; that it could not be evaluated becomes an error, which blocks.
"""

from __future__ import annotations

from adjudge.evaluation.model import (
    Case,
    Embedded,
    Engine,
    Judge,
    Judgement,
    Place,
    Running,
    Settings,
)
from adjudge.evaluation.run import Run, evaluate, subjects_of
from adjudge.evaluation.scopes import MAX_EVIDENCE, Scope

__all__ = [
    "MAX_EVIDENCE",
    "Case",
    "Embedded",
    "Engine",
    "Judge",
    "Judgement",
    "Place",
    "Run",
    "Running",
    "Scope",
    "Settings",
    "evaluate",
    "subjects_of",
]
