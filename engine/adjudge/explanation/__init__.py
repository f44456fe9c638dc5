"""Rules and what they judge in; why they found something or not, and what would change that,
out."""

from adjudge.explanation.changes import Change
from adjudge.explanation.model import (
    Clause,
    Counterfactual,
    Explanation,
    Expression,
    Ground,
    Reading,
)
from adjudge.explanation.queries import QueryExplainer
from adjudge.explanation.rules import RuleExplainer
from adjudge.explanation.search import Bounds

__all__ = [
    "Bounds",
    "Change",
    "Clause",
    "Counterfactual",
    "Explanation",
    "Expression",
    "Ground",
    "QueryExplainer",
    "Reading",
    "RuleExplainer",
]
