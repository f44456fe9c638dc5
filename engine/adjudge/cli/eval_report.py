"""The answers of a query, and what was measured, in; what ``opa eval`` shows of them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from adjudge.cli.opa_options import duration_text
from adjudge.cli.terminal import safe
from adjudge.errors import AdjudgeError, ErrorList
from adjudge.policyset.coverage import Coverage
from adjudge.rego import Result
from adjudge.rego.runtime.text import from_json, to_indented_json_text, to_json_text
from adjudge.rego.tracing import Cost, Event, rendered

SORT_KEYS = ("total_time_ns", "num_eval", "num_redo", "num_gen_expr", "file", "line")
_LARGEST_FIRST = frozenset({"total_time_ns", "num_eval", "num_redo", "num_gen_expr"})


@dataclass(slots=True)
class Output:
    """What one evaluation gave.  ``metrics`` are nanoseconds by timer; with several rounds
    ``aggregated`` holds their statistics instead."""

    results: list[Result] = field(default_factory=list)
    errors: list[AdjudgeError] = field(default_factory=list)
    metrics: dict[str, int] = field(default_factory=dict)
    aggregated: dict[str, dict[str, float]] = field(default_factory=dict)
    events: list[Event] | None = None
    profile: list[Cost] = field(default_factory=list)
    coverage: Coverage | None = None

    def to_json(self) -> dict[str, Any]:
        """The JSON that ``opa eval`` prints; what is empty is left out."""
        out: dict[str, Any] = {}
        if self.errors:
            out["errors"] = [_error(e) for e in self.errors]
        if self.results:
            out["result"] = [_result(r) for r in self.results]
        if self.metrics:
            out["metrics"] = dict(sorted(self.metrics.items()))
        if self.aggregated:
            out["aggregated_metrics"] = dict(sorted(self.aggregated.items()))
        if self.events is not None:
            out["explanation"] = [_event(e) for e in self.events]
        if self.profile:
            out["profile"] = [_cost(c) for c in self.profile]
        if self.coverage is not None:
            out["coverage"] = self.coverage.to_json()
        return out


def flat(error: AdjudgeError) -> list[AdjudgeError]:
    """The errors of a list of errors, or the one."""
    return list(error.errors) if isinstance(error, ErrorList) else [error]


def render(output: Output, format_: str, *, limit: int) -> Iterator[str]:
    """The lines for standard output."""
    if format_ == "json":
        yield json_text(output.to_json())
    elif format_ == "discard":
        shown = output.to_json()
        if "result" in shown:
            shown["result"] = "discarded"
        yield json_text(shown)
    elif format_ == "pretty":
        yield from _pretty(output, limit)
    elif output.errors:
        return
    elif format_ == "values":
        yield from (json_text([e.value for e in r.expressions]) for r in output.results)
    elif format_ == "bindings":
        yield from (json_text(r.bindings) for r in output.results)
    else:
        for r in output.results:
            yield safe(" ".join(_raw(e.value) for e in r.expressions))


def json_text(value: Any) -> str:
    """Indented JSON, numbers as they were written."""
    return to_indented_json_text(from_json(value), "", "  ")


def statistics(values: Sequence[int]) -> dict[str, float]:
    """The least, the largest, the mean and two percentiles."""
    ordered = sorted(values)

    def percentile(share: float) -> float:
        position = share * (len(ordered) + 1)
        low = min(max(int(position), 1), len(ordered))
        high = min(low + 1, len(ordered))
        part = min(max(position - low, 0.0), 1.0)
        return ordered[low - 1] + part * (ordered[high - 1] - ordered[low - 1])

    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": sum(ordered) / len(ordered),
        "90%": percentile(0.9),
        "99%": percentile(0.99),
    }


def sorted_costs(costs: Iterable[Cost], by: Sequence[str], limit: int) -> list[Cost]:
    """The first of some lines' costs, in the order asked for."""
    keys = [*by, *(k for k in ("total_time_ns", "num_eval", "num_redo", "file", "line"))]

    def key(cost: Cost) -> tuple[Any, ...]:
        record = {**_cost(cost), "file": cost.location.file, "line": cost.location.row}
        return tuple(-record[k] if k in _LARGEST_FIRST else record[k] for k in keys)

    return sorted(costs, key=key)[:limit]


# -- JSON ----------------------------------------------------------------------------------


def _result(result: Result) -> dict[str, Any]:
    out: dict[str, Any] = {
        "expressions": [
            {
                "value": e.value,
                "text": e.text,
                "location": {"row": e.location.row, "col": e.location.col},
            }
            for e in result.expressions
        ]
    }
    if result.bindings:
        out["bindings"] = result.bindings
    return out


def _error(error: AdjudgeError) -> dict[str, Any]:
    out: dict[str, Any] = {"message": error.message, "code": error.code}
    if error.location is not None:
        file, row, col = error.location
        out["location"] = {"file": file, "row": row, "col": col}
    if error.hint:
        out["hint"] = error.hint
    return out


def _event(event: Event) -> dict[str, Any]:
    file, row, col = event.location
    return {
        "op": event.kind.lower(),
        "depth": event.depth,
        "location": {"file": file, "row": row, "col": col},
        "text": event.text,
    }


def _cost(cost: Cost) -> dict[str, Any]:
    file, row, col = cost.location
    return {
        "total_time_ns": cost.ns,
        "num_eval": cost.evals,
        "num_redo": cost.redos,
        "num_gen_expr": len(cost.generated),
        "location": {"file": file, "row": row, "col": col},
    }


# -- text ----------------------------------------------------------------------------------


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else to_json_text(from_json(value))


def _pretty(output: Output, limit: int) -> Iterator[str]:
    if output.events:
        yield from map(safe, rendered(output.events))
    if not output.errors:
        yield from _answers(output.results, limit)
    if output.metrics:
        yield table(["Metric", "Value"], [[k, str(v)] for k, v in sorted(output.metrics.items())])
    if output.aggregated:
        names = ["min", "max", "mean", "90%", "99%"]
        rows = [[k, *(f"{v[n]:g}" for n in names)] for k, v in sorted(output.aggregated.items())]
        yield table(["Metric", *(n.title() for n in names)], rows)
    if output.profile:
        headers = ["Time", "Num Eval", "Num Redo", "Num Gen Expr", "Location"]
        yield table(headers, [_cost_row(c) for c in output.profile])
    if output.coverage is not None:
        yield table([], [["Overall Coverage", f"{output.coverage.percent:.2f}"]])


def _cost_row(cost: Cost) -> list[str]:
    place = f"{cost.location.file or 'query'}:{cost.location.row}"
    counts = (cost.evals, cost.redos, len(cost.generated))
    return [duration_text(cost.ns), *map(str, counts), place]


def _answers(results: list[Result], limit: int) -> Iterator[str]:
    if not results:
        yield "undefined"
        return
    first = results[0]
    if len(results) == 1 and not first.bindings:
        values = [e.value for e in first.expressions]
        if len(values) == 1 or all(isinstance(v, bool) for v in values):
            yield json_text(values[0])
            return
    names = sorted(first.bindings)
    # Expressions that only bind or test are told by their bindings.
    shown = [
        n for n, e in enumerate(first.expressions) if not names or not isinstance(e.value, bool)
    ]
    headers = [*names, *(first.expressions[n].text for n in shown)]
    rows = [
        [
            *(_cell(r.bindings[n], limit) for n in names),
            *(_cell(r.expressions[n].value, limit) for n in shown),
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
