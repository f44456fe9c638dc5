"""``python -m tests.fuzz --seconds 1200``: long runs of the fuzz target.

Each input that ends in anything but an answer or a ``RegoError`` is written to the folder of
findings, and so is each that takes longer than ten seconds.  With ``--atheris`` the inputs
are led by coverage (``pip install atheris``); without, they come from a seeded generator.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import random
import signal
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from types import FrameType

from tests.fuzz.mutations import module, seeds
from tests.fuzz.target import one

HANG_SECONDS = 10


class HangError(BaseException):
    """An input took too long; no handler of exceptions in the engine catches this."""


def _alarm(_signal: int, _frame: FrameType | None) -> None:
    raise HangError


def attempt(data: bytes) -> str:
    """What is wrong with the target's run: a text that begins with a kind, or nothing."""
    signal.signal(signal.SIGALRM, _alarm)
    signal.alarm(HANG_SECONDS)
    try:
        one(data)
    except HangError:
        return f"hang: more than {HANG_SECONDS} s\n{traceback.format_exc(limit=-8)}"
    except BaseException as e:
        if isinstance(e, KeyboardInterrupt):
            raise
        last = traceback.extract_tb(e.__traceback__)[-1]
        kind = f"{type(e).__name__} at {Path(last.filename).name}:{last.lineno}"
        return f"{kind}\n{traceback.format_exc(limit=-12)}"
    finally:
        signal.alarm(0)
    return ""


def run(seconds: float, seed: int, found: Path) -> int:
    """Fuzz for some seconds; the number of inputs with something wrong."""
    rng = random.Random(seed)
    end = time.monotonic() + seconds
    kinds: Counter[str] = Counter()
    executions = 0
    while time.monotonic() < end:
        data = module(rng)
        problem = attempt(data)
        executions += 1
        if problem:
            kind = problem.partition("\n")[0]
            kinds[kind] += 1
            if kinds[kind] <= 3:
                _keep(found, data, problem)
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")
    print(f"{executions} executions, {sum(kinds.values())} problems")
    return sum(kinds.values())


def _keep(found: Path, data: bytes, problem: str) -> None:
    found.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(data).hexdigest()[:12]
    (found / f"{name}.input").write_bytes(data)
    (found / f"{name}.txt").write_text(problem, encoding="utf-8", errors="replace")
    print(f"{found / name}: {problem.partition(chr(10))[0]}", flush=True)


def _atheris(seconds: float, found: Path) -> None:
    """Hand over to libFuzzer, which ends the process itself."""
    atheris = importlib.import_module("atheris")
    atheris.instrument_all()
    corpus = found / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(seeds()):
        (corpus / f"seed-{number}").write_bytes(b"\0" + text.encode())
    options = [f"-max_total_time={int(seconds)}", f"-artifact_prefix={found}/", str(corpus)]
    atheris.Setup([sys.argv[0], *options], one)
    atheris.Fuzz()


def main(argv: list[str]) -> int:
    """The exit code is 1 when something was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--found", type=Path, default=Path("build/fuzz"))
    parser.add_argument("--atheris", action="store_true")
    parser.add_argument("--replay", type=Path, help="run one kept input")
    args = parser.parse_args(argv)
    if args.replay:
        one(args.replay.read_bytes())
        return 0
    if args.atheris:
        _atheris(args.seconds, args.found)
    return 1 if run(args.seconds, args.seed, args.found) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
