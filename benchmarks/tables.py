"""Numbers in, Markdown out."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.cases import BenchCase
from benchmarks.peers import OURS, Measured

HEADER = (
    "| case | engine | compile | evaluate | times adjudge | peak memory |",
    "|---|---|---:|---:|---:|---:|",
)


def comparison(found: Sequence[tuple[BenchCase, dict[str, Measured]]]) -> str:
    """One row for each case and engine; the ratio says how many times as long as adjudge
    an engine takes to evaluate."""
    rows = list(HEADER)
    for case, measured in found:
        own = measured[OURS].eval_ns
        for name, each in measured.items():
            peak = "" if each.peak_mb is None else f"{each.peak_mb:.0f} MB"
            rows.append(
                f"| {case.name} | {name} | {duration(each.compiled_ns)} "
                f"| {duration(each.eval_ns)} | {each.eval_ns / own:.1f} | {peak} |"
            )
    return "\n".join(rows)


def duration(ns: float) -> str:
    """Nanoseconds as a person reads them."""
    for limit, unit, size in ((1e6, "µs", 1e3), (1e9, "ms", 1e6)):
        if ns < limit:
            return f"{ns / size:.3g} {unit}"
    return f"{ns / 1e9:.3g} s"
