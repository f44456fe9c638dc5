"""The rules of the linter: their codes, how much they matter, and what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "notice"]

SEVERITIES: Final[tuple[Severity, ...]] = ("notice", "warning", "error")
"""From the least to the most that it matters."""


@dataclass(frozen=True, slots=True)
class LintRule:
    """One rule: ``summary`` says what is wrong, ``why`` what comes of it."""

    code: str
    severity: Severity
    summary: str
    why: str


_RULES: Final = (
    # -- rules that do not do what they say
    LintRule(
        "deny_cannot_fire",
        "error",
        "a deny or warn rule that can never find anything",
        "It reads like a check and checks nothing: its conditions contradict each other, or "
        "the gate never asks it.",
    ),
    LintRule(
        "never_true",
        "warning",
        "a rule whose conditions can never hold",
        "Constant conditions that are false, or that ask two different things of one value.",
    ),
    LintRule(
        "impossible_value",
        "warning",
        "a comparison with a value that the schema rules out",
        "The document schema gives the type or the list of values; this one is not among them, "
        "so the comparison has the same answer whatever is judged.",
    ),
    LintRule(
        "fails_open",
        "warning",
        "a deny rule that stays silent when a field is missing",
        "In Rego a comparison with a missing value is undefined, not true: the rule finds "
        "nothing and the release passes. Another rule of the package has to say what a missing "
        "field means.",
    ),
    LintRule(
        "unknown_input_path",
        "warning",
        "a path of the input that does not exist for the kind",
        "What applies_to names has no such field, so the expression is always undefined.",
    ),
    LintRule(
        "unknown_data_path",
        "warning",
        "a reference to a rule that does not exist",
        "The package is there and has no rule of that name; a reference to nothing is undefined "
        "and no error.",
    ),
    LintRule(
        "finding_invalid",
        "error",
        "a deny element that is neither a text nor an object with msg",
        "The gate takes such an element for a broken rule and blocks.",
    ),
    LintRule(
        "dead_rule",
        "warning",
        "a rule that nothing uses",
        "No finding, entry point or other rule depends on it.",
    ),
    # -- metadata and tests
    LintRule(
        "metadata_missing",
        "warning",
        "a rule without id, title or severity",
        "Decisions, waivers and reports call a rule by its id; without one it is called by its "
        "line, which changes.",
    ),
    LintRule(
        "metadata_incomplete",
        "notice",
        "a rule without remediation or controls",
        "Who is blocked wants to know what to do, and an auditor which requirement it is for.",
    ),
    LintRule(
        "unknown_framework",
        "notice",
        "a control whose framework looks misspelt",
        "Reports put rules together by the framework before the slash.",
    ),
    LintRule(
        "effective_from_past",
        "notice",
        "a start date that has passed",
        "The rule blocks already; the date says nothing any more.",
    ),
    LintRule(
        "untested_rule",
        "warning",
        "a deny or warn rule that no test reaches",
        "Nothing would show that it stopped working.",
    ),
    # -- expressions
    LintRule(
        "regex_invalid",
        "error",
        "a pattern that is not a regular expression",
        "Evaluation fails where it is reached, and that blocks.",
    ),
    LintRule(
        "regex_costly",
        "warning",
        "a pattern that is large when compiled",
        "Matching takes time in proportion to the size of the pattern.",
    ),
    LintRule(
        "regex_from_input",
        "warning",
        "a pattern taken from what is judged",
        "Whoever is judged decides what matches.",
    ),
    LintRule(
        "withheld_builtin",
        "notice",
        "a builtin that the gate withholds",
        "The policy does not compile in the gate unless the operator grants it.",
    ),
    LintRule("deprecated_builtin", "warning", "a deprecated builtin", "It may go away."),
    LintRule("print_call", "warning", "a call to print left in", "Output is for tests."),
    # -- names
    LintRule("unused_import", "warning", "an import that nothing uses", "It can go."),
    LintRule("unused_variable", "warning", "a variable that nothing uses", "It can go."),
    LintRule("unused_argument", "warning", "an argument that nothing uses", "Write _ for it."),
    LintRule(
        "shadowed_builtin",
        "warning",
        "a name that hides a builtin",
        "The builtin cannot be used there, and readers expect it.",
    ),
    LintRule(
        "naming",
        "notice",
        "a name that is not in snake_case",
        "Rego's own names are in lower case with underscores.",
    ),
    # -- suppressions
    LintRule(
        "suppression_without_reason",
        "warning",
        "a suppression that does not say why",
        "It has no effect.",
    ),
    LintRule(
        "suppression_unknown",
        "warning",
        "a suppression of a code that does not exist",
        "It has no effect.",
    ),
    LintRule("suppression_unused", "notice", "a suppression of nothing", "It can go."),
)

RULES: Final[Mapping[str, LintRule]] = {rule.code: rule for rule in _RULES}
"""Every rule by its code, in the order of the documentation."""
