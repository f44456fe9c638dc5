"""How time and memory grow with the input and with the number of rules: charts and a table.

``python -m benchmarks --plots`` writes them to ``benchmarks/results``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.cases import BenchCase, indexed, sbom
from benchmarks.peers import Measured, Peer, measure
from benchmarks.plots import chart
from benchmarks.tables import duration

RESULTS = Path(__file__).parent / "results"
COMPONENTS = (10, 100, 1_000, 10_000, 100_000)
RULES = (10, 100, 1_000, 10_000)

Row = tuple[int, dict[str, Measured]]


def write(engines: Sequence[Peer], runs: int, heading: str) -> Path:
    """Measure, and write the charts and ``growth.md``; returns its path."""
    RESULTS.mkdir(exist_ok=True)
    components = [_row(sbom, n, engines, runs) for n in COMPONENTS]
    rules = [_row(indexed, n, engines, runs) for n in RULES]
    _chart("components-evaluate", "Evaluating five rules over an SBOM", "components", components)
    _chart(
        "components-memory",
        "Peak memory of the process",
        "components",
        components,
        value=lambda m: m.peak_mb or 0,
        unit=lambda mb: f"{mb:g} MB",
    )
    _chart("rules-evaluate", "Evaluating one of many similar rules", "rules", rules)
    _chart("rules-compile", "Compiling from text", "rules", rules, value=lambda m: m.compiled_ns)
    target = RESULTS / "growth.md"
    target.write_text(
        "\n".join(
            (
                "# How time grows",
                "",
                f"Written by `make bench-plots`. {heading}",
                "",
                "![](components-evaluate.svg)",
                "",
                *_table("components", components),
                "",
                "![](components-memory.svg)",
                "",
                "![](rules-evaluate.svg)",
                "",
                "![](rules-compile.svg)",
                "",
                *_table("rules", rules),
                "",
            )
        ),
        encoding="utf-8",
    )
    return target


def _row(make: Callable[[int], BenchCase], size: int, engines: Sequence[Peer], runs: int) -> Row:
    return size, measure(make(size), engines, runs)


def _chart(
    name: str,
    title: str,
    x_label: str,
    rows: Sequence[Row],
    value: Callable[[Measured], float] = lambda m: m.eval_ns,
    unit: Callable[[float], str] = duration,
) -> None:
    series: dict[str, list[tuple[float, float]]] = {}
    for size, measured in rows:
        for engine, each in measured.items():
            if found := value(each):
                series.setdefault(engine, []).append((size, found))
    if series:
        svg = chart(title, x_label, series, unit)
        (RESULTS / f"{name}.svg").write_text(svg, encoding="utf-8")


def _table(what: str, rows: Sequence[Row]) -> list[str]:
    out = [f"| {what} | engine | compile | evaluate | peak memory |", "|---:|---|---:|---:|---:|"]
    for size, measured in rows:
        for engine, each in measured.items():
            peak = "" if each.peak_mb is None else f"{each.peak_mb:.0f} MB"
            out.append(
                f"| {size:,} | {engine} | {duration(each.compiled_ns)} "
                f"| {duration(each.eval_ns)} | {peak} |"
            )
    return out
