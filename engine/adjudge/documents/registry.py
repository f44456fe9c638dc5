"""The kinds of documents: a kind's name in; its loader, its facts' schema and its names out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from adjudge.documents import (
    attestation,
    dataset,
    evaluation,
    generic,
    model_card,
    prompt_bundle,
    sbom,
    signed_artifact,
    vex_document,
    vulnerability_report,
    weights,
)
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits
from adjudge.documents.reading import Source
from adjudge.errors import UsageError

if TYPE_CHECKING:
    from adjudge.trust import TrustSettings

Loader: TypeAlias = Callable[[Source, Limits], Document]
TrustLoader: TypeAlias = "Callable[[Source, Limits, TrustSettings | None], Document]"


@dataclass(frozen=True)
class Kind:
    """A kind of document.  ``group`` is the list that holds them in a release's input."""

    name: str
    group: str
    title: str
    load: Loader
    trusting: TrustLoader | None = None
    """The loader that judges signatures by trust settings, for kinds that hold such."""

    def schema(self) -> Mapping[str, Any]:
        """The JSON Schema of the kind's facts; do not change it."""
        return _schema(self.name)


KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        Kind("model_card", "model_cards", "model card", model_card.load),
        Kind("prompt_bundle", "prompt_bundles", "prompt bundle", prompt_bundle.load),
        Kind("sbom", "sboms", "SBOM", sbom.load),
        Kind(
            "signed_artifact",
            "signed_artifacts",
            "signed artifact",
            signed_artifact.load,
            signed_artifact.load,
        ),
        Kind("weights", "weights", "model weights", weights.load),
        Kind("attestation", "attestations", "attestations", attestation.load, attestation.load),
        Kind(
            "approval",
            "approvals",
            "approvals",
            attestation.load_approval,
            attestation.load_approval,
        ),
        Kind("evaluation", "evaluations", "evaluation", evaluation.load, evaluation.load),
        Kind("dataset", "datasets", "dataset record", dataset.load),
        Kind("vex_document", "vex_documents", "VEX document", vex_document.load),
        Kind(
            "vulnerability_report",
            "vulnerability_reports",
            "vulnerability report",
            vulnerability_report.load,
        ),
        Kind("generic", "generics", "JSON, YAML or TOML file", generic.load),
    )
}
"""Every kind by its name."""


@cache
def _schema(name: str) -> Mapping[str, Any]:
    file = resources.files("adjudge.documents") / "schemas" / f"{name}.json"
    schema: Mapping[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


def kind_of(name: str) -> Kind:
    """The kind of that name; UsageError ``unknown_kind`` when there is none."""
    kind = KINDS.get(name)
    if kind is None:
        raise UsageError(
            "unknown_kind",
            f"there is no document kind {name[:60]!r}",
            hint="known kinds: " + ", ".join(KINDS),
        )
    return kind


def load(
    name: str,
    source: Source,
    limits: Limits = DEFAULT_LIMITS,
    trust: TrustSettings | None = None,
) -> Document:
    """The document of kind ``name`` at ``source``; ``trust`` matters to signatures only.

    Raises UsageError ``unknown_kind`` and the InputErrors of the kind's loader.
    """
    kind = kind_of(name)
    if kind.trusting is not None:
        return kind.trusting(source, limits, trust)
    return kind.load(source, limits)


def schemas() -> dict[str, Mapping[str, Any]]:
    """The JSON Schema of the facts of every kind, by kind."""
    return {name: kind.schema() for name, kind in KINDS.items()}
