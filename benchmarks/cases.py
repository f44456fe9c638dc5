"""The benchmark cases: policy text, base documents, input, and the rule that is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).parent / "policies"


@dataclass(frozen=True)
class BenchCase:
    """One case; ``rule`` is a path below ``data``, ``rounds`` evaluations make one sample."""

    name: str
    policy: str
    data: dict[str, Any]
    input: Any
    rule: str
    rounds: int
    samples: int = 7

    def document(self) -> dict[str, Any]:
        """The case as the engines read it."""
        return {
            "modules": {"policy.rego": self.policy},
            "data": self.data,
            "input": self.input,
            "rule": self.rule,
            "rounds": self.rounds,
            "samples": self.samples,
        }


def guardrail() -> BenchCase:
    """Seven rules, one hundred tenants, a request that is allowed."""
    tenant = {
        "models": ["m1", "m2", "m3"],
        "limits": {"max_tokens": 1000, "budget": 100},
        "regions": ["eu", "us"],
        "blocked_words": ["ignore previous", "password", "secret"],
    }
    return BenchCase(
        name="guardrail",
        policy=(POLICIES / "guardrail.rego").read_text(encoding="utf-8"),
        data={
            "tenants": {f"t{n}": tenant for n in range(100)},
            "usage": {f"t{n}": n for n in range(100)},
        },
        input={
            "tenant": "t42",
            "model": "m2",
            "max_tokens": 500,
            "region": "eu",
            "prompt": "Please summarise the quarterly report for me",
            "user": {"id": "u1"},
            "cost": 1,
        },
        rule="guardrail.allow",
        rounds=2000,
    )


def sbom(components: int = 5000) -> BenchCase:
    """Five rules over an SBOM of so many components."""
    listed = [
        {
            "type": "library",
            "bom-ref": f"ref-{n}",
            "name": f"lib{n}",
            "version": f"1.{n}",
            "purl": f"pkg:npm/lib{n}@1.{n}",
            "licenses": [{"license": {"id": "MIT" if n % 100 else "GPL-3.0-only"}}],
            "hashes": [{"alg": "SHA-256", "content": "ab" * 32}] if n % 50 else [],
        }
        for n in range(components)
    ]
    dependencies = [
        {"ref": f"ref-{n}", "dependsOn": [f"ref-{n + 1}", f"ref-{n // 2}"]}
        for n in range(components)
    ]
    return BenchCase(
        name=f"sbom {components}",
        policy=(POLICIES / "sbom.rego").read_text(encoding="utf-8"),
        data={},
        input={"components": listed, "dependencies": dependencies},
        rule="sbom.deny",
        rounds=max(1, 5000 // components),
        samples=7 if components < 50_000 else 2,
    )


def indexed(rules: int = 1000) -> BenchCase:
    """So many rules that differ in the value they compare one field with."""
    clauses = "\n".join(
        f'deny contains "rule {n}" if {{\n\tinput.kind == "kind-{n}"\n\tinput.size > {n % 7}\n}}\n'
        for n in range(rules)
    )
    return BenchCase(
        name=f"indexed {rules}",
        policy=f"package indexed\n\n{clauses}",
        data={},
        input={"kind": f"kind-{rules // 2}", "size": 10},
        rule="indexed.deny",
        rounds=500,
    )


def join(rows: int = 1000) -> BenchCase:
    """Two lists of so many rows, joined by one key."""
    return BenchCase(
        name=f"join {rows}",
        policy=(POLICIES / "join.rego").read_text(encoding="utf-8"),
        data={},
        input={
            "findings": [{"id": f"f{n}", "team": f"team-{n % rows}"} for n in range(rows)],
            "owners": [{"name": f"o{n}", "team": f"team-{n}"} for n in range(rows)],
        },
        rule="join.report",
        rounds=1,
    )


CASES: tuple[Callable[[], BenchCase], ...] = (guardrail, sbom, indexed, join)
