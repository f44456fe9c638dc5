"""``python -m benchmarks``: adjudge against OPA and regorus, the same cases in one run.

Prints a Markdown table of times and ratios; every result is checked for equality
first.  Peers that cannot be built here are left out, with a message.  ``--plots`` measures
how time grows, too, and how long policies take to start, and writes ``benchmarks/results``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

from benchmarks import growth, peers, starts, tables
from benchmarks.cases import CASES


def main() -> int:
    """Run the cases and print the table."""
    arguments = _arguments()
    engines = [peers.ours(), *peers.opa(), *peers.regorus()]
    heading = _heading(arguments.runs)
    try:
        found = [
            (case, peers.measure(case, engines, arguments.runs))
            for case in (make() for make in CASES)
            if not arguments.case or case.name.startswith(tuple(arguments.case))
        ]
        print(heading, end="\n\n")
        print(tables.comparison(found))
        if arguments.plots:
            _write("comparison", "Against OPA and regorus", heading, tables.comparison(found))
            _write(
                "starts", "How long policies take to start", heading, starts.table(arguments.runs)
            )
            # The interpreter of regorus needs minutes where the others need seconds.
            fast = [e for e in engines if e.name != "regorus"]
            growth.write(fast, arguments.runs, heading)
    except peers.DifferentResults as e:
        print(e, file=sys.stderr)
        return 1
    return 0


def _write(name: str, title: str, heading: str, table: str) -> None:
    growth.RESULTS.mkdir(exist_ok=True)
    text = f"# {title}\n\nWritten by `make bench-plots`. {heading}\n\n{table}\n"
    (growth.RESULTS / f"{name}.md").write_text(text, encoding="utf-8")


def _heading(runs: int) -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores; processor time of the "
        f"evaluating thread, the fastest of all samples of {runs} runs, the engines by turns."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="processes of each engine, by turns")
    parser.add_argument(
        "--plots", action="store_true", help="measure growth and starts, too; write results"
    )
    parser.add_argument("--case", action="append", help="only cases whose name begins so")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
