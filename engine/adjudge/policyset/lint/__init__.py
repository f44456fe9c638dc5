"""The linter: policies in, everything doubtful about them out."""

from adjudge.policyset.lint.catalogue import RULES, SEVERITIES, LintRule, Severity
from adjudge.policyset.lint.model import Finding
from adjudge.policyset.lint.run import LintReport, counted, lint

__all__ = [
    "RULES",
    "SEVERITIES",
    "Finding",
    "LintReport",
    "LintRule",
    "Severity",
    "counted",
    "lint",
]
