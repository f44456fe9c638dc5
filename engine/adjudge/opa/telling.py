"""An OPA and a policy set in, what the record of a decision says about having asked it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from adjudge.decision.model import Degradation
from adjudge.documents.model import split
from adjudge.opa.client import Provenance
from adjudge.opa.moving import uses
from adjudge.opa.target import Target
from adjudge.policyset.model import PolicySet
from adjudge.rego.evidence import Read
from adjudge.rego.runtime.values import UNDEFINED
from adjudge.version import __version__

UNRECORDED: Final = ("rand.intn", "uuid.rfc4122")
"""Builtins that are granted, whose answers only OPA knows."""


def pointed(input_: Any, finding: Any) -> tuple[Read, ...]:
    """The place that a finding names: the only one that is known to have been read."""
    pointer = finding.get("pointer") if isinstance(finding, dict) else None
    if not isinstance(pointer, str) or not pointer:
        return ()
    path = split(f"/{pointer.removeprefix('/')}")
    found = input_
    for step in path:
        found = _at(found, step)
    return (Read("input", tuple(path), found),)


def _at(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        return value.get(step, UNDEFINED)
    if isinstance(value, list) and step.isascii() and step.isdigit() and len(step) < 10:
        return value[int(step)] if int(step) < len(value) else UNDEFINED
    return UNDEFINED


def about(target: Target, provenance: Provenance) -> Iterator[Degradation]:
    """What every decision taken by an OPA says about that."""
    yield Degradation(
        code="opa_engine",
        message="the rules were evaluated by an OPA: it tells what a rule found, not what it "
        "read, so the evidence is the places that findings point at",
        detail={
            "url": target.url,
            "version": provenance.version,
            "commit": provenance.commit or None,
            "bundles": dict(sorted(provenance.bundles.items())),
            "asked_by": f"adjudge {__version__}",
        },
    )
    if target.in_the_clear:
        yield Degradation(
            code="opa_in_the_clear",
            message="the OPA was asked over a network without TLS: what was sent and answered "
            "could be read and changed",
        )


def unknown(policies: PolicySet) -> Iterator[Degradation]:
    """What only OPA knows of an evaluation."""
    used = [name for name in UNRECORDED if any(uses(m.rules, name) for m in policies.modules)]
    if used:
        yield Degradation(
            code="opa_nondeterminism",
            message="policies use builtins whose answers OPA does not tell: the decision "
            "cannot be replayed from its record",
            detail=[*used],
        )
    if any(uses(m.rules, "print") for m in policies.modules):
        yield Degradation(code="opa_prints", message="what policies print is in the log of OPA")


def unverified(why: str) -> Degradation:
    """What a decision says whose policies may not be those that it names."""
    return Degradation(
        code="opa_policies_unverified",
        message="OPA had policies and data already; whether they are those named here is not "
        f"known: {why}",
    )
