"""The answers of a query, and what was measured, in; what ``opa eval`` shows of them out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adjudge.cli.opa_options import duration_text
from adjudge.cli.terminal import safe
from adjudge.errors import AdjudgeError
from adjudge.policyset.opa_eval import Answer
from adjudge.rego import Result
from adjudge.rego.runtime.text import from_json, to_indented_json_text, to_json_text
from adjudge.rego.tracing import Cost, Event, rendered
from adjudge.source import Location

SORT_KEYS = ("total_time_ns", "num_eval", "num_redo", "num_gen_expr", "file", "line")
_LARGEST_FIRST = frozenset({"total_time_ns", "num_eval", "num_redo", "num_gen_expr"})
_SHARES = {"median": 0.5, "75%": 0.75, "90%": 0.9, "95%": 0.95, "99%": 0.99}
_SHARES |= {"99.9%": 0.999, "99.99%": 0.9999}
_SHOWN = ("min", "max", "mean", "90%", "99%")

Statistics = dict[str, float]


@dataclass(frozen=True, slots=True)
class Line:
    """What one line of a policy cost: once, or in each of several rounds."""

    cost: Cost
    rounds: tuple[int, ...] = ()


@dataclass(slots=True)
class Output:
    """What is shown of one evaluation, or of several rounds of it.

    ``metrics`` are nanoseconds by timer, or with several rounds their statistics.
    """

    answer: Answer
    metrics: dict[str, Any] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    aggregated: bool = False

    def to_json(self) -> dict[str, Any]:
        """The JSON that ``opa eval`` prints, in its order; what is empty is left out."""
        answer = self.answer
        parts: dict[str, Any] = {
            "errors": [_error(e) for e in (*answer.errors, *answer.builtin_errors)],
            "result": [_result(r) for r in answer.results],
            "metrics": {} if self.aggregated else self.metrics,
            "aggregated_metrics": self.metrics if self.aggregated else {},
            "explanation": [_event(e) for e in answer.events or ()],
            "profile": [] if self.aggregated else [_cost(c) for c in self.lines],
            "aggregated_profile": [_cost(c) for c in self.lines] if self.aggregated else [],
            "coverage": None if answer.coverage is None else answer.coverage.to_json(),
        }
        return {name: part for name, part in parts.items() if part}


def collected(answers: Sequence[Answer], metrics: bool, by: Sequence[str], limit: int) -> Output:
    """One output of several rounds; ``by`` and ``limit`` choose the lines of the profile."""
    first = answers[0]
    out = Output(first, aggregated=len(answers) > 1)
    if metrics and not out.aggregated:
        out.metrics = dict(sorted(first.metrics.items()))
    elif metrics:
        for name in sorted(first.metrics):
            out.metrics[name] = statistics([a.metrics[name] for a in answers if name in a.metrics])
    for cost in sorted_costs(first.profile, by, limit):
        rounds = [c.ns for a in answers for c in a.profile if _place(c) == _place(cost)]
        out.lines.append(Line(cost, tuple(rounds) if out.aggregated else ()))
    return out


def _place(cost: Cost) -> tuple[str, int]:
    return cost.location.file, cost.location.row


def sorted_costs(costs: Iterable[Cost], by: Sequence[str], limit: int) -> list[Cost]:
    """The first of some lines' costs, in the order asked for; all, when the limit is 0."""
    keys = [*by, *(k for k in ("total_time_ns", "num_eval", "num_redo", "file", "line"))]

    def key(cost: Cost) -> tuple[Any, ...]:
        record = {**_cost(Line(cost)), "file": cost.location.file, "line": cost.location.row}
        return tuple(-record[k] if k in _LARGEST_FIRST else record[k] for k in keys)

    found = sorted(costs, key=key)
    return found[:limit] if limit > 0 else found


def statistics(values: Sequence[int]) -> Statistics:
    """What OPA tells of several measurements."""
    ordered = sorted(values)
    count = len(ordered)
    mean = sum(ordered) / count

    def percentile(share: float) -> float:
        position = share * (count + 1)
        low = int(position)
        if low < 1:
            return ordered[0]
        if low >= count:
            return ordered[-1]
        return ordered[low - 1] + (position - low) * (ordered[low] - ordered[low - 1])

    out: Statistics = {name: percentile(share) for name, share in _SHARES.items()}
    deviation = math.sqrt(sum((v - mean) ** 2 for v in ordered) / count)
    out |= {"count": count, "min": ordered[0], "max": ordered[-1], "mean": mean}
    return dict(sorted({**out, "stddev": deviation}.items()))


def render(output: Output, format_: str, *, limit: int) -> Iterator[str]:
    """The lines for standard output."""
    answer = output.answer
    if format_ == "json":
        yield shaped(output.to_json())
    elif format_ == "discard":
        shown = output.to_json()
        if "result" in shown:
            shown["result"] = "discarded"
        yield shaped(dict(sorted(shown.items())))
    elif format_ == "pretty":
        yield from _pretty(output, limit)
    elif answer.errors or answer.builtin_errors:
        return
    elif format_ == "values":
        yield from (shaped([_Value(e.value) for e in r.expressions]) for r in answer.results)
    elif format_ == "bindings":
        yield from (shaped(_Value(r.bindings)) for r in answer.results)
    else:
        for r in answer.results:
            yield safe(" ".join(_raw(e.value) for e in r.expressions))


# -- JSON ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Value:
    """A value of the policy's: its keys are sorted, the names of a report stand in order."""

    value: Any


def shaped(value: Any, prefix: str = "") -> str:
    """Indented JSON; the keys of dictionaries stay in their order."""
    inner = prefix + "  "
    if isinstance(value, dict) and value:
        pairs = (f"{inner}{to_json_text(k)}: {shaped(v, inner)}" for k, v in value.items())
        return "{\n" + ",\n".join(pairs) + f"\n{prefix}}}"
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(inner + shaped(v, inner) for v in value) + f"\n{prefix}]"
    if isinstance(value, _Value):
        value = value.value
    return to_indented_json_text(from_json(value), prefix, "  ")


def _result(result: Result) -> dict[str, Any]:
    out: dict[str, Any] = {
        "expressions": [
            {
                "value": _Value(e.value),
                "text": e.text,
                "location": {"row": e.location.row, "col": e.location.col},
            }
            for e in result.expressions
        ]
    }
    if result.bindings:
        out["bindings"] = _Value(result.bindings)
    return out


def _location(location: Location) -> dict[str, Any]:
    file, row, col = location
    return {"file": file, "row": row, "col": col}


def _error(error: AdjudgeError) -> dict[str, Any]:
    message, *details = error.message.split("\n\t")
    out: dict[str, Any] = {"message": message, "code": error.code}
    if error.location is not None:
        out["location"] = _location(error.location)
    if error.code == "rego_parse_error" and error.location and error.source is not None:
        out["details"] = {"line": error.source, "idx": error.location.col - 1}
    elif details:
        out["details"] = "\n".join(details)
    return out


def _event(event: Event) -> dict[str, Any]:
    note = event.kind == "Note"
    return {
        "Op": event.kind,
        "Node": None if note else event.text,
        "Location": _location(event.location),
        "QueryID": event.query,
        "ParentID": event.parent,
        "Message": event.text[1:-1] if note else "",
    }


def _cost(line: Line) -> dict[str, Any]:
    cost = line.cost
    spent: dict[str, Any] = {"total_time_ns": cost.ns}
    if line.rounds:
        spent = {"total_time_ns_stats": statistics(line.rounds)}
    return {
        **spent,
        "num_eval": cost.evals,
        "num_redo": cost.redos,
        "num_gen_expr": len(cost.generated),
        "location": _location(cost.location),
    }


# -- text ----------------------------------------------------------------------------------


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(from_json(value))


def _pretty(output: Output, limit: int) -> Iterator[str]:
    answer = output.answer
    if answer.events:
        yield from map(safe, rendered(answer.events))
    if not answer.errors and not answer.builtin_errors:
        yield from _answers(answer.results, limit)
    if output.metrics and not output.aggregated:
        yield table(["Metric", "Value"], [[k, str(v)] for k, v in output.metrics.items()])
    if output.lines and not output.aggregated:
        headers = ["Time", "Num Eval", "Num Redo", "Num Gen Expr", "Location"]
        rows = [[duration_text(line.cost.ns), *_counts(line.cost)] for line in output.lines]
        yield table(headers, rows)
    if output.metrics and output.aggregated:
        rows = [[k, *(f"{v[n]:.10g}" for n in _SHOWN)] for k, v in output.metrics.items()]
        yield table(["Metric", *(n.title() for n in _SHOWN)], rows)
    if output.lines and output.aggregated:
        headers = [*(n.title() for n in _SHOWN)]
        headers += ["Num Eval", "Num Redo", "Num Gen Expr", "Location"]
        yield table(headers, [_statistics_row(line) for line in output.lines])
    if answer.coverage is not None:
        yield table([], [["Overall Coverage", f"{answer.coverage.percent:.2f}"]])


def _statistics_row(line: Line) -> list[str]:
    found = statistics(line.rounds)
    return [*(duration_text(int(found[n])) for n in _SHOWN), *_counts(line.cost)]


def _counts(cost: Cost) -> list[str]:
    place = f"{cost.location.file or 'query'}:{cost.location.row}"
    return [*map(str, (cost.evals, cost.redos, len(cost.generated))), place]


def _answers(results: list[Result], limit: int) -> Iterator[str]:
    if not results:
        yield "undefined"
        return
    first = results[0]
    if len(results) == 1 and not first.bindings:
        values = [e.value for e in first.expressions]
        if len(values) == 1 or all(isinstance(v, bool) for v in values):
            yield shaped(_Value(values[0]))
            return
    names = sorted(first.bindings)
    # Expressions that only bind or test are told by their bindings.
    shown = [
        n for n, e in enumerate(first.expressions) if not names or not isinstance(e.value, bool)
    ]
    headers = [*(first.expressions[n].text for n in shown), *names]
    rows = [
        [
            *(_cell(r.expressions[n].value, limit) for n in shown),
            *(_cell(r.bindings[n], limit) for n in names),
        ]
        for r in results
    ]
    yield table(headers, rows)


def _cell(value: Any, limit: int) -> str:
    text = to_json_text(from_json(value))
    return f"{text[:limit]}..." if 0 < limit < len(text) else text


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in box characters, headers centred."""
    texts = [
        [safe(cell).replace("\n", " ") for cell in row]
        for row in (*([headers] * bool(headers)), *rows)
    ]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]

    def rule(left: str, middle: str, right: str) -> str:
        return left + middle.join("─" * (w + 2) for w in widths) + right

    def line(cells: Iterable[str]) -> str:
        return "│ " + " │ ".join(cells) + " │"

    out = [rule("┌", "┬", "┐")]
    body = texts
    if headers:
        first, *body = texts
        out.append(line(c.center(w) for c, w in zip(first, widths, strict=True)))
        out.append(rule("├", "┼", "┤"))
    out.extend(line(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in body)
    out.append(rule("└", "┴", "┘"))
    return "\n".join(out)
