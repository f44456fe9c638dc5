"""A report in, text for a terminal or a plain log out.

Colour only when asked for; every colour is said in words too.  Nothing in a judged file
can break the picture: what is hostile is spelled out, markup is never interpreted, and a
CI runner that reads the text finds no commands in it.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from adjudge.decision.model import RuleResult
from adjudge.decision.waivers import WaiverNote
from adjudge.exports.escape import clip, defuse_commands, one_line, paragraph, visible
from adjudge.exports.excerpt import Excerpt
from adjudge.exports.report import (
    OUTCOME_LABELS,
    OUTCOMES,
    Group,
    Report,
    by_rule,
    evidence_text,
    place_of,
    plural,
)

SHOWN_PER_RULE = 3
"""Findings of one rule shown in full unless the report is verbose."""
MIN_WIDTH, MAX_WIDTH = 20, 120

_VERDICT_STYLE = {
    "allow": "bold white on green4",
    "deny": "bold white on red3",
    "no_verdict": "bold black on yellow3",
}
_OUTCOME_STYLE = {
    "fail": "bold red",
    "error": "bold magenta",
    "warn": "bold yellow",
    "waived": "bold blue",
    "pass": "green",
    "not_applicable": "dim",
}
_SEVERITY_STYLE = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan"}


@dataclass(frozen=True)
class Glyphs:
    """The characters we choose ourselves."""

    rule: str
    bar: str
    caret: str
    dot: str
    more: str


UNICODE = Glyphs(rule="─", bar="│", caret="▲", dot=" · ", more="…")
ASCII = Glyphs(rule="-", bar="|", caret="^", dot=", ", more="...")


def render(report: Report) -> str:
    """The report as text that ends in a line end, ``options.width`` columns wide."""
    options = report.options
    width = max(MIN_WIDTH, min(options.width, MAX_WIDTH))
    sink = io.StringIO()
    console = Console(
        file=sink,
        width=width,
        force_terminal=options.color,
        color_system="256" if options.color else None,
        no_color=not options.color,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        # The caller has decided; rich must not look at the environment again.
        _environ={},
    )
    for part in _Page(report, width).parts():
        console.print(part, soft_wrap=False)
    lines = (line.rstrip() for line in sink.getvalue().split("\n"))
    text = defuse_commands("\n".join(lines).strip("\n") + "\n")
    if not options.unicode:
        text = text.encode("ascii", "backslashreplace").decode("ascii")
    return text


def terminal_options(
    stream: TextIO, environ: Mapping[str, str] = os.environ
) -> tuple[bool, int, bool]:
    """What a stream can show: (color, width, unicode).

    Honours ``NO_COLOR``, ``FORCE_COLOR``, ``TERM=dumb`` and ``COLUMNS``.
    """
    watched = stream.isatty()
    color = watched and environ.get("TERM") != "dumb"
    if environ.get("FORCE_COLOR"):
        color = True
    if environ.get("NO_COLOR"):
        color = False
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return color, _columns(stream, watched, environ), encoding.startswith("utf")


def _columns(stream: TextIO, watched: bool, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    if columns.isascii() and columns.isdigit() and len(columns) < 6 and int(columns):
        return int(columns)
    if watched:
        try:
            return os.get_terminal_size(stream.fileno()).columns or 80
        except (OSError, ValueError):
            pass
    return 80 if watched else 100


class _Page:
    """Builds the renderables of one report, top to bottom."""

    def __init__(self, report: Report, width: int) -> None:
        self.report = report
        self.decision = report.decision
        self.width = width
        self.glyphs = UNICODE if report.options.unicode else ASCII

    def parts(self) -> Iterable[RenderableType]:
        """Everything shown, in order."""
        yield self.header()
        for group in self.report.groups:
            yield ""
            yield self.group(group)
        if self.report.options.verbose:
            yield from self.quiet_results()
        yield from self.degradations()
        yield from self.obligations()
        yield from self.waivers()
        yield ""
        yield self.rule()
        yield self.summary()
        yield self.rule()
        yield self.footer()

    def rule(self) -> Text:
        """A line across the page."""
        return Text(self.glyphs.rule * self.width, style="dim")

    def header(self) -> RenderableType:
        """The verdict, what it is about, and why."""
        verdict = self.report.verdict.upper()
        title = Text.assemble(
            (
                f" {verdict} " if self.report.options.color else verdict,
                _VERDICT_STYLE[self.decision.outcome],
            ),
            "  ",
            (one_line(self.report.title), "bold"),
        )
        context = self.decision.context
        for extra in (context.environment, context.tenant):
            if extra:
                title.append(f"{self.glyphs.dot}{one_line(extra)}", style="dim")
        return Stack(title, Text(self.report.sentence))

    def group(self, group: Group) -> RenderableType:
        """One rule with its findings, what to do, and the controls it serves."""
        first = group.first
        head = Text.assemble((first.outcome.upper(), _OUTCOME_STYLE[first.outcome]), "  ")
        if first.severity:
            head.append(first.severity, style=_SEVERITY_STYLE[first.severity])
            head.append("  ")
        head.append(one_line(first.rule_id), style="bold")
        title = Text(one_line(first.title))
        body: list[RenderableType] = [head]
        if head.cell_len + 2 + title.cell_len <= self.width:
            head.append("  ").append_text(title)
        else:
            body.append(self.indent(title))
        results = group.results
        if not self.report.options.verbose and len(results) > SHOWN_PER_RULE + 1:
            results = results[:SHOWN_PER_RULE]
        for index, result in enumerate(results):
            parts = list(self.finding(result))
            if index and len(parts) > 2:
                body.append("")
            body.extend(map(self.indent, parts))
        hidden = len(group.results) - len(results)
        if hidden:
            more = f"{self.glyphs.more} and {plural(hidden, 'more finding')} of this rule"
            body.append(self.indent(Text(more, style="dim")))
        body.extend(self.advice(group))
        return Stack(*body)

    def finding(self, result: RuleResult) -> Iterable[RenderableType]:
        """The message, the place, the line with a caret, and the waiver."""
        yield Text(paragraph(result.message) or one_line(result.title))
        place = place_of(result)
        if place:
            yield Text(visible(clip(place, 500)), style="cyan")
        excerpt = self.report.excerpt(result.source)
        if excerpt is not None and result.source is not None:
            yield self.excerpt(excerpt, result.source.line)
        elif self.report.is_redacted(result.source):
            yield Text("  (line not shown: it holds a redacted value)", style="dim")
        if result.outcome == "error" and result.location:
            at = f"{visible(clip(result.location.file, 500))}:{result.location.row}"
            yield Text(f"in the policy {at}", style="dim")
        if result.waiver:
            waiver = result.waiver
            yield Text(
                f"waived until {waiver.expires[:10]} by {one_line(waiver.id)}"
                f" ({one_line(waiver.ticket)}, owner {one_line(waiver.owner)}):"
                f" {one_line(waiver.reason)}",
                style="blue",
            )
        if self.report.options.verbose:
            yield from self.evidence(result)

    def excerpt(self, excerpt: Excerpt, line: int) -> RenderableType:
        """A source line with its number and a caret, cut to the width of the page."""
        gutter = f"{line} {self.glyphs.bar} "
        room = max(10, self.width - cell_len(gutter) - 4)
        before, after = excerpt.fit(room, self.glyphs.more)
        blank = " " * (len(str(line)) + 1) + f"{self.glyphs.bar} "
        return Text.assemble(
            (gutter, "dim"),
            before + after,
            "\n",
            (blank, "dim"),
            " " * cell_len(before),
            (self.glyphs.caret, "bold red"),
            no_wrap=True,
            overflow="crop",
        )

    def evidence(self, result: RuleResult) -> Iterable[RenderableType]:
        """What the rule read, in verbose reports."""
        for item in result.evidence:
            where = item.pointer or "/"
            if item.artifact and item.artifact != result.artifact:
                where = f"{item.artifact} {where}"
            at = f"  line {item.source.line}" if item.source else ""
            shown = one_line(evidence_text(item))
            yield Text(f"  read {one_line(where)} = {shown}{at}", style="dim")
        if result.evidence_omitted:
            more = plural(result.evidence_omitted, "more value")
            yield Text(f"  and read {more}", style="dim")

    def advice(self, group: Group) -> Iterable[RenderableType]:
        """What to do and which controls ask for it."""
        for remediation in group.remediations:
            yield self.labelled("fix", Text(paragraph(remediation)))
        if group.controls:
            names = self.glyphs.dot.join(map(one_line, group.controls))
            yield self.labelled("for", Text(names, style="dim"))

    def labelled(self, label: str, text: Text) -> RenderableType:
        """``text`` behind a short label, wrapped beside it."""
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(label, style="green"), text)
        return self.indent(grid)

    def indent(self, part: RenderableType) -> RenderableType:
        """``part`` two columns to the right."""
        return Padding(part, (0, 0, 0, 2))

    def quiet_results(self) -> Iterable[RenderableType]:
        """Passes and rules that did not apply, one line per rule."""
        for outcome, title in (("pass", "Passed"), ("not_applicable", "Not applicable")):
            rules = by_rule(self.report.of(outcome))
            if not rules:
                continue
            yield Text(f"\n{title}", style="bold")
            for rule_id, results in rules.items():
                line = Text.assemble(
                    (one_line(rule_id), _OUTCOME_STYLE[outcome]), f"  {one_line(results[0].title)}"
                )
                places = [visible(clip(r.artifact, 500)) for r in results if r.artifact]
                if places:
                    line.append(f"  {', '.join(places)}", style="dim")
                yield self.indent(line)
                for result in results:
                    yield from map(self.indent, self.evidence(result))

    def degradations(self) -> Iterable[RenderableType]:
        """What was skipped, overridden, injected or done offline."""
        rows = [
            (Text(one_line(d.code), style="yellow"), Text(one_line(d.message)))
            for d in self.decision.degradations
        ]
        yield from self.listing("Degraded", rows)

    def obligations(self) -> Iterable[RenderableType]:
        """What the caller must do."""
        rows = [
            (Text(one_line(o.action), style="bold"), Text(one_line(o.rule_id), style="dim"))
            for o in self.decision.obligations
        ]
        yield from self.listing("Obligations", rows)

    def waivers(self) -> Iterable[RenderableType]:
        """Waivers that need attention; the applied ones stand at their findings."""
        waivers = self.report.waivers
        groups: tuple[tuple[str, str, Iterable[WaiverNote]], ...] = (
            ("refused", "red", waivers.refused),
            ("malformed", "red", waivers.malformed),
            ("expired", "red", waivers.expired),
            ("expires soon", "yellow", waivers.expiring_soon),
            ("unused", "dim", waivers.unused),
        )
        rows = [
            (Text(label, style=style), self.waiver(label, note))
            for label, style, notes in groups
            for note in notes
        ]
        yield from self.listing("Waivers", rows)

    def waiver(self, label: str, note: WaiverNote) -> Text:
        """One waiver that needs attention."""
        line = Text(one_line(note.id or "(no id)"))
        if note.rule:
            line.append(f" for {one_line(note.rule)}")
        message = note.message
        if label == "expires soon" and note.days_left is not None:
            message = f"{plural(note.days_left, 'day')} left"
        line.append(f": {one_line(message)}")
        if note.source:
            line.append(f"  {one_line(note.source.file)}:{note.source.line}", style="dim")
        return line

    def listing(self, title: str, rows: Sequence[tuple[Text, Text]]) -> Iterable[RenderableType]:
        """A titled section of labelled lines; nothing when there are none."""
        if not rows:
            return
        yield Text(f"\n{title}", style="bold")
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(overflow="fold", max_width=max(8, self.width // 3))
        table.add_column(overflow="fold")
        for row in rows:
            table.add_row(*row)
        yield self.indent(table)

    def summary(self) -> RenderableType:
        """The counts by outcome, with the rules behind them."""
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for outcome in OUTCOMES:
            count = self.report.counts[outcome]
            if not count:
                continue
            rules = list(by_rule(self.report.of(outcome)))
            names = ", ".join(map(one_line, rules[:12]))
            if len(rules) > 12:
                names += f" and {len(rules) - 12} more"
            table.add_row(
                Text(OUTCOME_LABELS[outcome], style=_OUTCOME_STYLE[outcome]),
                Text(f"{count:,}"),
                Text(names, style="dim"),
            )
        if not self.decision.results:
            table.add_row(Text("no results"), Text("0"), Text(""))
        return table

    def footer(self) -> RenderableType:
        """What identifies the decision."""
        policy = self.decision.policy
        revision = f" {policy.revision}" if policy.revision else ""
        lines = [
            ("time", self.decision.time),
            ("policy", f"{one_line(policy.name + revision)}  {policy.digest[:16]}"),
            ("decision", self.decision.decision_id),
            ("digest", self.decision.digest),
        ]
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for label, value in lines:
            table.add_row(Text(label, style="dim"), Text(value, style="dim"))
        return table
