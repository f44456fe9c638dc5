"""``python -m benchmarks``: adjudge against OPA and regorus, the same cases in one run.

Prints a Markdown table of medians and ratios; every result is checked for equality
first.  Peers that cannot be built here are left out, with a message.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys

from benchmarks import growth, peers, tables
from benchmarks.cases import CASES


def main() -> int:
    """Run the cases and print the table."""
    arguments = _arguments()
    engines = [peers.ours(), *peers.opa(), *peers.regorus()]
    if arguments.plots:
        # The interpreter of regorus needs minutes where the others need seconds.
        fast = [e for e in engines if e.name != "regorus"]
        print(growth.write(fast, arguments.runs, _heading(arguments.runs)))
        return 0
    found = []
    for make in CASES:
        case = make()
        if arguments.case and not any(case.name.startswith(c) for c in arguments.case):
            continue
        try:
            found.append((case, peers.measure(case, engines, arguments.runs)))
        except peers.DifferentResults as e:
            print(e, file=sys.stderr)
            return 1
    print(_heading(arguments.runs), end="\n\n")
    print(tables.comparison(found))
    return 0


def _heading(runs: int) -> str:
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores; medians of all samples "
        f"of {runs} runs, the engines by turns."
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="processes of each engine, by turns")
    parser.add_argument(
        "--plots", action="store_true", help="measure growth instead; writes benchmarks/results"
    )
    parser.add_argument("--case", action="append", help="only cases whose name begins so")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
