"""The engines that are measured: ours, OPA and regorus, each as a program that reads a case.

A program reads one case as JSON from standard input (``modules``, ``data``, ``input``,
``rule``, ``rounds``, ``samples``) and writes ``compile_ns``, ``samples_ns`` (nanoseconds of
one evaluation, by sample), ``result`` and ``peak_kb`` (null where the system does not
tell).  Times are the processor's, for the thread that evaluates, where the system tells
them.  Each runs in a process of its own, so that the peaks can be compared.  The peers are
built when they are asked for, below ``build/benchmarks``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cases import BenchCase

HERE = Path(__file__).parent
BUILD = HERE.parent / "build" / "benchmarks"
OURS = "adjudge"


@dataclass(frozen=True)
class Peer:
    """An engine by the name the tables give it, and the command that runs it."""

    name: str
    command: tuple[str, ...]


@dataclass
class Measured:
    """What the runs of one engine over one case gave; times in nanoseconds."""

    compile_ns: list[int] = field(default_factory=list)
    samples_ns: list[int] = field(default_factory=list)
    peak_kb: list[int] = field(default_factory=list)
    result: Any = None

    @property
    def eval_ns(self) -> float:
        """The fastest of all samples: what else the machine does makes others slower."""
        return min(self.samples_ns)

    @property
    def compiled_ns(self) -> float:
        """The fastest of the runs."""
        return min(self.compile_ns)

    @property
    def peak_mb(self) -> float | None:
        """The median over the runs; None where it is not known."""
        return median(self.peak_kb) / 1024 if self.peak_kb else None


class DifferentResults(Exception):
    """Two engines disagree about a case."""


def ours() -> Peer:
    """adjudge, in a fresh interpreter."""
    return Peer(OURS, (sys.executable, "-m", "benchmarks.runner"))


def opa() -> list[Peer]:
    """The real OPA; empty, with a message, where it cannot be built."""
    target = BUILD / "opa-bench"
    commands = (
        ["go", "mod", "tidy"],
        ["go", "build", "-o", str(target.resolve()), "."],
    )
    return [Peer("OPA", (str(target),))] if _built("opa", "go", commands) else []


def regorus() -> list[Peer]:
    """regorus' virtual machine and its interpreter; empty, with a message, where they
    cannot be built."""
    if not _built("regorus", "cargo", (["cargo", "build", "--release", "--quiet"],)):
        return []
    target = str(BUILD / "regorus" / "target" / "release" / "regorus-bench")
    return [Peer("regorus vm", (target, "vm")), Peer("regorus", (target, "interpreter"))]


def _built(name: str, tool: str, commands: Iterable[list[str]]) -> bool:
    """Copy a peer's sources into the build folder and run the commands there."""
    if shutil.which(tool) is None:
        print(f"{tool} is not installed: {name} is not measured", file=sys.stderr)
        return False
    folder = BUILD / name
    shutil.copytree(HERE / name, folder, dirs_exist_ok=True)
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            print(f"{name} is not measured: {done.stderr.strip()[-400:]}", file=sys.stderr)
            return False
    return True


def measure(case: BenchCase, peers: Iterable[Peer], runs: int) -> dict[str, Measured]:
    """Run every engine ``runs`` times, taking turns, so that a slow moment of the machine
    meets all of them; a peer that refuses the case is left out, with a message.  Raises
    :class:`DifferentResults`."""
    document = json.dumps(case.document())
    listed = list(peers)
    found = {peer.name: Measured() for peer in listed}
    for _ in range(runs):
        for peer in [p for p in listed if p.name in found]:
            try:
                _run(peer, document, found[peer.name])
            except RuntimeError as e:
                if peer.name == OURS:
                    raise
                print(f"{case.name} is not measured with {e}", file=sys.stderr)
                del found[peer.name]
    expected = json.dumps(found[listed[0].name].result, sort_keys=True)
    for name, measured in found.items():
        if json.dumps(measured.result, sort_keys=True) != expected:
            raise DifferentResults(f"{case.name}: {name} and {listed[0].name} disagree")
    return found


def _run(peer: Peer, document: str, into: Measured) -> None:
    done = subprocess.run(
        peer.command, input=document, capture_output=True, text=True, check=False, cwd=HERE.parent
    )
    if done.returncode != 0:
        raise RuntimeError(f"{peer.name}: {done.stderr.strip()[-1000:]}")
    answer = json.loads(done.stdout)
    into.compile_ns.append(answer["compile_ns"])
    into.samples_ns.extend(answer["samples_ns"])
    into.result = answer["result"]
    if answer["peak_kb"] is not None:
        into.peak_kb.append(answer["peak_kb"])
