"""Measured values of a Hugging Face card: ``model-index`` and ``.eval_results`` in, metrics out.

Nothing is dropped silently: what has the wrong shape becomes a problem, and a value that is
no number is kept as text, so that no policy compares a text with a threshold.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from adjudge.documents.facts import Sheet, number_of, text_of
from adjudge.documents.model import join

_INTERVAL_KEYS: Final = ("confidence_interval", "ci")


def put_model_index(sheet: Sheet, index: Any, base: str, file: str) -> None:
    """The results of ``model-index``; ``base`` points at it."""
    if index is None:
        return
    if not isinstance(index, list):
        _shape(sheet, "model-index is not a list", base)
        return
    for m, model in enumerate(index):
        results = model.get("results") if isinstance(model, Mapping) else None
        if not isinstance(results, list):
            _shape(sheet, "a model of model-index has no list of results", join(base, m))
            continue
        for r, result in enumerate(results):
            at = join(base, m, "results", r)
            if isinstance(result, Mapping):
                _put_result(sheet, result, at, file)
            else:
                _shape(sheet, "a result of model-index is not an object", at)


def _put_result(sheet: Sheet, result: Mapping[str, Any], at: str, file: str) -> None:
    metrics = result.get("metrics")
    if not isinstance(metrics, list):
        _shape(sheet, "a result of model-index has no list of metrics", at)
        return
    task, data, source = (_object(result.get(k)) for k in ("task", "dataset", "source"))
    shared = {
        "task": text_of(task.get("type")),
        "dataset": text_of(data.get("type") or data.get("name")),
        "dataset_revision": text_of(data.get("revision")),
        "config": text_of(data.get("config")),
        "split": text_of(data.get("split")),
        "slice": text_of(result.get("slice")),
        "source": text_of(source.get("url") or source.get("name")),
    }
    for i, metric in enumerate(metrics):
        here = join(at, "metrics", i)
        if not isinstance(metric, Mapping):
            _shape(sheet, "a metric of model-index is not an object", here)
            continue
        own = {
            "type": text_of(metric.get("type")),
            "name": text_of(metric.get("name")),
            "slice": text_of(metric.get("slice")),
            "date": text_of(metric.get("date")),
        }
        entry = shared | {k: v for k, v in own.items() if v}
        number = len(sheet.facts["metrics"])
        _add(
            sheet,
            entry,
            metric,
            bool(metric.get("verified") or metric.get("verifyToken")),
            here,
            file,
        )
        _origins(sheet, number, at)


def _origins(sheet: Sheet, number: int, at: str) -> None:
    """What a metric takes from its result stands elsewhere than its value."""
    if number >= len(sheet.facts["metrics"]):
        return
    for fact, place in (
        ("task", "task/type"),
        ("dataset", "dataset"),
        ("dataset_revision", "dataset/revision"),
        ("config", "dataset/config"),
        ("split", "dataset/split"),
        ("source", "source"),
    ):
        sheet.origins[f"/metrics/{number}/{fact}"] = f"{at}/{place}"


def put_eval_results(sheet: Sheet, entries: Any, base: str, file: str) -> None:
    """The entries of one ``.eval_results`` file; ``base`` points at them."""
    if not isinstance(entries, list):
        _shape(sheet, "an evaluation result file is not a list", base)
        return
    for index, entry in enumerate(entries):
        at = join(base, index)
        if not isinstance(entry, Mapping):
            _shape(sheet, "an evaluation result is not an object", at)
            continue
        data, source = _object(entry.get("dataset")), _object(entry.get("source"))
        known = {
            "type": text_of(entry.get("type") or entry.get("metric")),
            "name": text_of(entry.get("name")),
            "task": text_of(data.get("task_id")),
            "dataset": text_of(data.get("id")),
            "dataset_revision": text_of(data.get("revision")),
            "config": text_of(data.get("config")),
            "split": text_of(data.get("split")),
            "slice": text_of(entry.get("slice")),
            "date": text_of(entry.get("date")),
            "source": text_of(source.get("url") or source.get("name")),
        }
        number = len(sheet.facts["metrics"])
        _add(sheet, known, entry, bool(entry.get("verifyToken")), at, file)
        _origins(sheet, number, at)


def add_metric(
    sheet: Sheet, known: Mapping[str, str], value: Any, ci: Mapping[str, Any], at: str, file: str
) -> None:
    """A metric of a format without verification tokens."""
    entry = {k: v for k, v in known.items() if v}
    sheet.add("metrics", _valued(sheet, entry, value, at) | dict(ci) | _tail(False, file), at)


def _add(
    sheet: Sheet,
    known: Mapping[str, str],
    source: Mapping[str, Any],
    verified: bool,
    at: str,
    file: str,
) -> None:
    entry = _valued(sheet, {k: v for k, v in known.items() if v}, source.get("value"), at)
    sheet.add("metrics", entry | interval_of(source) | _tail(verified, file), at)


def _tail(verified: bool, file: str) -> dict[str, Any]:
    return {"verified": verified, "file": file}


def _valued(sheet: Sheet, entry: dict[str, str], value: Any, at: str) -> dict[str, Any]:
    number = number_of(value)
    if number is not None:
        return {**entry, "value": number}
    sheet.problem(
        "metric_not_a_number",
        "the value of a metric is not a number",
        f"/document{at}/value",
        warning=True,
    )
    text = text_of(value)[:200]
    return {**entry, "text": text} if text else dict(entry)


def interval_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """``{"ci": {lower, upper}}`` from a pair or an object, or nothing."""
    for key in _INTERVAL_KEYS:
        interval = source.get(key)
        if isinstance(interval, list) and len(interval) == 2:
            bounds = {"lower": number_of(interval[0]), "upper": number_of(interval[1])}
        elif isinstance(interval, Mapping):
            bounds = {
                side: number_of(_first(interval, side, f"{side}_bound", f"{side}Bound"))
                for side in ("lower", "upper")
            }
        else:
            continue
        return {"ci": {k: v for k, v in bounds.items() if v is not None}}
    return {}


def _first(source: Mapping[str, Any], *keys: str) -> Any:
    return next((source[k] for k in keys if k in source), None)


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _shape(sheet: Sheet, message: str, at: str) -> None:
    sheet.problem("eval_results_shape", message, "/document" + at)
