"""``python -m tests.differential --count 10000 --seed 1 [--opa]``.

Generates cases (a few modules with an input and data), asks the fast variant, the evidence
variant, the naive evaluator and, with ``--opa``, a real OPA about every rule, and prints each
difference, made small.  The same seed gives the same cases.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.differential.client import by_client, same_but_rounded, serving
from tests.differential.compare import (
    Difference,
    Failed,
    Invalid,
    Unknown,
    compiled,
    differences,
    explained,
)
from tests.differential.generate import Case, case
from tests.differential.opa import Opa, binary
from tests.differential.shrink import shrink

from adjudge.opa.target import Target


@dataclass
class Report:
    """How a run went."""

    pairs: int = 0
    found: int = 0
    explained: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)


def main(argv: list[str]) -> int:
    """The exit code is 1 when engines differ."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="pairs of policy and input")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--opa", action="store_true", help="ask a real OPA too")
    parser.add_argument("--client", action="store_true", help="ask OPA through the client instead")
    parser.add_argument("--show", type=int, default=3, help="of each kind, how many are shown")
    parser.add_argument("--no-shrink", action="store_true", help="show differences as found")
    args = parser.parse_args(argv)
    executable = binary() if args.opa or args.client else None
    if (args.opa or args.client) and executable is None:
        parser.error("there is no opa on this machine")
    with contextlib.ExitStack() as stack:
        if args.client:
            target = stack.enter_context(serving(executable or ""))
            return 1 if _through_client(args.count, args.seed, target, args.show) else 0
        opa = stack.enter_context(Opa(executable)) if executable else None
        report = run(args.count, args.seed, opa, args.show, not args.no_shrink)
    for kind, count in report.kinds.most_common():
        print(f"{count:6} {kind}")
    for reason, count in report.explained.most_common():
        print(f"{count:6} explained: {reason}")
    print(f"{report.pairs} pairs, {report.found} differences")
    return 1 if report.found else 0


def _through_client(count: int, seed: int, target: Target, show: int) -> int:
    """Compare the embedded engine with ``--engine opa=URL``; how many cases differ."""
    ask = by_client(target)
    found = orders = 0
    for number in range(count):
        each = case(random.Random(f"{seed}/{number}"))
        own = compiled(each, traced=False)
        other = ask(each)
        if isinstance(own, Invalid) or isinstance(other, Invalid):
            different = own != other
        else:
            pairs = zip(own, other, strict=True)
            wrong = [(a, b) for a, b in pairs if not same_but_rounded(a, b)]
            wrong = [(a, b) for a, b in wrong if not isinstance(b, Unknown)]
            failed = [pair for pair in wrong if any(isinstance(x, Failed) for x in pair)]
            orders += bool(failed) and failed == wrong
            different = failed != wrong
        if different:
            found += 1
            if found <= show:
                print(f"--- case {seed}/{number}\n{own}\n{other}")
    print(f"{orders:6} explained: which error is met")
    print(f"{count} pairs, {found} differences")
    return found


def run(count: int, seed: int, opa: Opa | None, show: int, small: bool) -> Report:
    """Compare ``count`` cases; each has a seed of its own, made of the run's."""
    report = Report()
    for number in range(count):
        each = case(random.Random(f"{seed}/{number}"))
        report.pairs += 1
        found = differences(each, opa)
        if not found:
            continue
        reasons = [explained(each, d, opa) for d in found]
        report.explained.update(set(reasons) - {""})
        found = [d for d, reason in zip(found, reasons, strict=True) if not reason]
        if not found:
            continue
        kind = found[0].kind
        smaller = each
        if small and (report.kinds[kind] < show or "Failed" in kind):
            # In few words it may be plain what it is.
            smaller = _small(each, kind, opa)
            reason = _reason(smaller, kind, opa)
            if reason:
                report.explained[reason] += 1
                continue
        report.found += 1
        report.kinds[kind] += 1
        if report.kinds[kind] <= show:
            print(f"--- case {seed}/{number}")
            _tell_difference(found[0])
            _tell(smaller, kind, opa)
    return report


def _reason(each: Case, kind: str, opa: Opa | None) -> str:
    reasons = [explained(each, d, opa) for d in differences(each, opa) if d.kind == kind]
    return reasons[0] if reasons else ""


def _small(each: Case, kind: str, opa: Opa | None) -> Case:
    def still(candidate: Case) -> bool:
        return any(d.kind == kind for d in differences(candidate, opa))

    return shrink(each, still)


def _tell(each: Case, kind: str, opa: Opa | None) -> None:
    for name, text in each.modules.items():
        print(f"# {name}\n{text.strip()}")
    if each.input is not ...:
        print("input:", json.dumps(each.input))
    print("data:", json.dumps(each.data), "strict" if each.strict else "")
    for difference in differences(each, opa):
        if difference.kind == kind:
            _tell_difference(difference)
            break
    sys.stdout.flush()


def _tell_difference(difference: Difference) -> None:
    def shown(value: Any) -> str:
        return "undefined" if value is ... else repr(value)[:1000]

    print(f"{'.'.join(('data', *difference.path))}: compiled {shown(difference.left)}")
    print(f"{difference.between}: {shown(difference.right)}", end="\n\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
