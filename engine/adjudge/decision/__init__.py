"""Rule results in, the decision record out: its model, evidence, waivers and outcome."""

from adjudge.decision.assemble import make_decision
from adjudge.decision.model import Decision, Evidence, RuleResult, Source
from adjudge.decision.outcome import Outcome, ReasonCode, decide
from adjudge.decision.redaction import RedactionPolicy
from adjudge.decision.waiver_file import WaiverSet, parse_waivers
from adjudge.decision.waivers import WaiverReport, WaiverSettings, apply_waivers

__all__ = [
    "Decision",
    "Evidence",
    "Outcome",
    "ReasonCode",
    "RedactionPolicy",
    "RuleResult",
    "Source",
    "WaiverReport",
    "WaiverSet",
    "WaiverSettings",
    "apply_waivers",
    "decide",
    "make_decision",
    "parse_waivers",
]
