"""The results of an evaluation or red-team run in, as a document with one form of facts out.

In-toto test results (signed or not), promptfoo results and LM Evaluation Harness results.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from adjudge.documents import attestation
from adjudge.documents.json_object import read_object
from adjudge.documents.model import DEFAULT_LIMITS, Document, Limits, Origin
from adjudge.documents.reading import Source
from adjudge.documents.sbom.values import mapping, objects, present, text

if TYPE_CHECKING:
    from adjudge.trust import TrustSettings

KIND: Final = "evaluation"
MAX_RESULTS: Final = 100_000
_PEEK: Final = 65536
_SHOWN: Final = 1000

Facts = dict[str, Any]


def load(
    source: Source, limits: Limits = DEFAULT_LIMITS, trust: TrustSettings | None = None
) -> Document:
    """The results at ``source``; ``trust`` says whose signature on test results counts.

    Raises InputError ``evaluation_unknown_format``, and those of :func:`read_object` and of
    :func:`adjudge.documents.attestation.load`.
    """
    with source.open() as file:
        start = file.read(_PEEK)
    if attestation.statement_of(start):
        return _attested(source, limits, trust)
    found = read_object(source, limits)
    value = found.value
    if is_promptfoo(value):
        return found.document(KIND, _promptfoo(value), origins={"/failed": "/results/results"})
    if is_harness(value):
        origins: dict[str, Origin] = {"/metrics": "/results", "/name": "/model_name"}
        return found.document(KIND, _harness(value), origins=origins)
    raise source.error(
        "evaluation_unknown_format",
        f"{source.shown} holds no results that are understood",
        hint="an in-toto test result, promptfoo results or LM Evaluation Harness results",
    )


def _empty(tool: str) -> Facts:
    return {
        "tool": tool,
        "assurance": attestation.SELF_DECLARED,
        "subjects": [],
        "artifacts": [],
        "passed": [],
        "warned": [],
        "failed": [],
        "metrics": [],
    }


# --- in-toto ------------------------------------------------------------------------------------


def _attested(source: Source, limits: Limits, trust: TrustSettings | None) -> Document:
    document = attestation.load(source, limits, trust)
    statements = document.facts["statements"]
    results = [s for s in statements if "test_result" in s]
    if len(results) != 1:
        raise source.error(
            "evaluation_unknown_format",
            f"{source.shown} holds {len(results)} test results, not one",
            hint="judge a file with several statements as an attestation",
        )
    statement = results[0]
    stated = statement["test_result"]
    facts = _empty("in-toto") | {
        "assurance": statement["assurance"],
        "reason_code": statement["reason_code"],
        "subjects": statement["subjects"],
        "passed": stated["passed"],
        "warned": stated["warned"],
        "failed": stated["failed"],
        "counts": _counts(len(stated["passed"]), len(stated["failed"]), 0, len(stated["warned"])),
    }
    facts |= present(
        result=stated.get("result"),
        url=stated.get("url"),
        signer=statement.get("signer"),
        created=statement.get("signed_at"),
    )
    document.kind, document.facts = KIND, facts
    document.origins = {}
    return document


def _counts(passed: int, failed: int, errors: int, warned: int = 0) -> Facts:
    total = passed + failed + errors + warned
    return {"total": total, "passed": passed, "warned": warned, "failed": failed, "errors": errors}


# --- promptfoo ----------------------------------------------------------------------------------


def is_promptfoo(value: Facts) -> bool:
    """Whether a JSON object looks like promptfoo's results."""
    inner = mapping(value, "results")
    return "evalId" in value and ("stats" in inner or isinstance(inner.get("results"), list))


def _promptfoo(value: Facts) -> Facts:
    inner, config = mapping(value, "results"), mapping(value, "config")
    cases = [c for _, c in islice(objects(inner, "results"), MAX_RESULTS)]
    failed = [c for c in cases if c.get("success") is not True and not text(c, "error")]
    errors = [c for c in cases if c.get("success") is not True and text(c, "error")]
    passed = len(cases) - len(failed) - len(errors)
    facts = _empty("promptfoo") | {
        "result": "PASSED" if cases and passed == len(cases) else "FAILED",
        "counts": _counts(passed, len(failed), len(errors)),
        "passed": _names([c for c in cases if c.get("success") is True]),
        "failed": _names(failed + errors),
    }
    facts |= present(
        name=text(config, "description") or text(value, "evalId"),
        created=text(inner, "timestamp"),
    )
    if mapping(config, "redteam"):
        facts["red_team"] = _red_team(cases)
    return facts


def _names(cases: list[Facts]) -> list[str]:
    found = [
        text(mapping(c, "testCase"), "description") or text(c, "description") or text(c, "id")
        for c in cases
    ]
    return list(dict.fromkeys(n for n in found if n))[:_SHOWN]


def _red_team(cases: list[Facts]) -> Facts:
    """How many attacks succeeded, whole and by category; an attack that was not defended against,
    for whatever reason, succeeded."""
    tally: dict[str, list[bool]] = {}
    for case in cases:
        metadata = mapping(case, "metadata") or mapping(mapping(case, "testCase"), "metadata")
        category = text(metadata, "pluginId") or "uncategorised"
        tally.setdefault(category, []).append(case.get("success") is not True)
    return present(
        attack_success_rate=_rate([hit for hits in tally.values() for hit in hits]),
    ) | {
        "attacks": len(cases),
        "categories": [
            {"name": name, "attacks": len(hits), "attack_success_rate": _rate(hits)}
            for name, hits in sorted(tally.items())
        ],
    }


def _rate(hits: list[bool]) -> float | None:
    return round(sum(hits) / len(hits), 6) if hits else None


# --- LM Evaluation Harness ----------------------------------------------------------------------


def is_harness(value: Facts) -> bool:
    """Whether a JSON object looks like results of the LM Evaluation Harness."""
    return bool(mapping(value, "results")) and ("n-shot" in value or "lm_eval_version" in value)


def _harness(value: Facts) -> Facts:
    versions = mapping(value, "versions")
    metrics: list[Facts] = []
    for task, scores in mapping(value, "results").items():
        for name, score in (scores if isinstance(scores, dict) else {}).items():
            metric, _, filtered = name.partition(",")
            if metric.endswith("_stderr") or isinstance(score, bool):
                continue
            if not isinstance(score, int | float):
                continue
            error = scores.get(f"{metric}_stderr,{filtered}")
            version = versions.get(task)
            metrics.append(
                present(
                    type=metric,
                    value=score,
                    dataset=task,
                    revision=str(version) if version is not None else None,
                    stderr=error if isinstance(error, int | float) else None,
                )
            )
    facts = _empty("lm-evaluation-harness") | {"metrics": metrics[:_SHOWN]}
    return facts | present(name=text(value, "model_name"))
