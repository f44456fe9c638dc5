"""A report in, one self-contained HTML page out: no script, no network, for screen and paper.

Jinja escapes everything; before that, every string is made visible, so that no text can
hide or reorder what stands around it.  The record is part of the page as JSON data.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sized
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from adjudge.decision.model import RuleResult
from adjudge.decision.waivers import WaiverNote
from adjudge.exports.escape import clip, defuse_markup, one_line, visible
from adjudge.exports.json_ import dumps_for_html
from adjudge.exports.report import (
    OUTCOME_LABELS,
    Group,
    Report,
    by_rule,
    evidence_text,
    plural,
)

MAX_OPEN = 5
"""Findings of one rule shown before the rest is folded."""
MAX_EVIDENCE = 50
"""Values listed per result; the JSON data has all."""

_SECTIONS = (
    ("fail", "Failures"),
    ("error", "Errors"),
    ("warn", "Warnings"),
    ("waived", "Waived failures"),
)
_QUIET = (("pass", "Passed"), ("not_applicable", "Not applicable"))
# From the column on: a quoted string, a short bracketed text, a bracket alone, or a word.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\[\]{}]{0,80}\]|\{[^\[\]{}]{0,80}\}|[\[{]|[^\s,\]}]+')


def render(report: Report) -> str:
    """The page, ending in a line end."""
    views: dict[str, Any] = {name: [] for name, _ in _SECTIONS}
    for group in report.groups:
        views[group.first.outcome].append(_group(group, report))
    views |= {name: by_rule(report.of(name)) for name, _ in _QUIET}
    return page(
        "report.html.j2",
        report.decision.document(),
        report=report,
        decision=report.decision,
        views=views,
        sections=_SECTIONS,
        quiet=_QUIET,
        labels=OUTCOME_LABELS,
        waivers=list(_waivers(report)),
        max_open=MAX_OPEN,
        max_evidence=MAX_EVIDENCE,
    )


def page(template: str, record: Any, **context: Any) -> str:
    """A page of the house style with ``record`` as its JSON data."""
    data = Markup(dumps_for_html(record))  # noqa: S704 - "<", ">" and "&" are escaped in it
    text = environment().get_template(template).render(data=data, **context)
    return defuse_markup(text.rstrip()) + "\n"


@cache
def environment() -> Environment:
    """The Jinja environment of all pages."""
    made = Environment(
        loader=PackageLoader("adjudge.exports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
        auto_reload=False,
    )
    made.filters.update(
        line=one_line,
        plural=plural,
        evidence=evidence_text,
        moment=_moment,
        plural_rules=_plural_rules,
    )
    return made


def _finalize(value: Any) -> Any:
    """Every string on a page: its own markup as it is, all other text made visible."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(clip(value, 5_000), lines=True)
    return value


def _group(group: Group, report: Report) -> dict[str, Any]:
    return {"group": group, "findings": [_finding(r, report) for r in group.results]}


def _finding(result: RuleResult, report: Report) -> dict[str, Any]:
    excerpt = report.excerpt(result.source)
    view: dict[str, Any] = {
        "result": result,
        "excerpt": None,
        "redacted": report.is_redacted(result.source),
    }
    if excerpt:
        before, after = excerpt.fit(160)
        token = _TOKEN.match(after)
        end = max(1, token.end() if token else 1)
        view["excerpt"] = {"before": before, "marked": after[:end] or " ", "after": after[end:]}
    return view


def _waivers(report: Report) -> Iterator[tuple[str, str, WaiverNote]]:
    """Every waiver with its state and the tone to say it in."""
    waivers = report.waivers
    soon = {note.id for note in waivers.expiring_soon}
    for state, tone, notes in (
        ("refused", "fail", waivers.refused),
        ("malformed", "fail", waivers.malformed),
        ("expired", "fail", waivers.expired),
        ("applied", "waived", waivers.applied),
        ("unused", "not_applicable", waivers.unused),
    ):
        for note in notes:
            late = note.id in soon and state in ("applied", "unused")
            yield (f"{state}, expires soon", "warn", note) if late else (state, tone, note)


def _moment(time: str) -> str:
    """An RFC 3339 time for people."""
    return f"{time[:10]} {time[11:19]} UTC"


def _plural_rules(rules: Mapping[str, Sized]) -> str:
    results = sum(map(len, rules.values()))
    return f"{plural(len(rules), 'rule')}, {plural(results, 'result')}"
