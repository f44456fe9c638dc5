"""The environment of a GitHub Actions step in; a judgement, its outputs and summary out.

Everything comes through environment variables, nothing through the text of a script.  On
a pull request the policies and waivers of the repository are taken from the base commit,
so that a change cannot swap what judges it.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adjudge.decision.model import Degradation
from adjudge.decision.times import parse_time
from adjudge.errors import UsageError
from adjudge.exports.report import Report
from adjudge.exports.writing import Target, write_outputs
from adjudge.gate.gittree import export_tree
from adjudge.gate.run import DEFAULT_POLICIES, Request, run
from adjudge.policyset import collection_names, pack_names

SUMMARY_LIMIT = 1_000_000
"""Bytes of a step summary that GitHub accepts (its limit is 1 MiB)."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs of the action, as the step gets them."""

    path: str
    policies: tuple[str, ...]
    policies_ref: str
    waivers: str
    data: tuple[str, ...]
    trust: str
    fail_on: str
    as_of: str
    category: str
    annotations: bool


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """The inputs in ``ADJUDGE_INPUT_…`` variables; lists are one item a line.

    Raises UsageError ``action_input_invalid``.
    """

    def one(name: str, default: str = "") -> str:
        return environ.get(f"ADJUDGE_INPUT_{name}", "").strip() or default

    def many(name: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in one(name).splitlines() if line.strip())

    fail_on = one("FAIL_ON", "deny")
    if fail_on not in ("deny", "warn"):
        raise UsageError("action_input_invalid", f"fail-on is deny or warn, not {fail_on[:40]!r}")
    return Inputs(
        path=one("PATH", "."),
        policies=many("POLICIES") or DEFAULT_POLICIES,
        policies_ref=one("POLICIES_REF"),
        waivers=one("WAIVERS"),
        data=many("DATA"),
        trust=one("TRUST"),
        fail_on=fail_on,
        as_of=one("AS_OF"),
        category=one("CATEGORY", "adjudge"),
        annotations=one("ANNOTATIONS", "true").lower() != "false",
    )


def run_action(environ: Mapping[str, str]) -> int:
    """Judge, write what the later steps need, and give the exit code 0, 1 or 2.

    Raises ``AdjudgeError`` when there is no verdict; ``decision=no_verdict`` is an output
    even then.
    """
    inputs = read_inputs(environ)
    directory = Path(tempfile.mkdtemp(prefix="adjudge-", dir=environ.get("RUNNER_TEMP") or None))
    outputs = _Outputs(environ.get("GITHUB_OUTPUT"))
    outputs.write({"decision": "no_verdict", "report-directory": str(directory)})
    request = _request(inputs, environ, directory)
    report = run(request)
    report = replace(report, options=replace(report.options, category=inputs.category))
    files = {
        "json": directory / "decision.json",
        "sarif": directory / "adjudge.sarif",
        "html": directory / "report.html",
        "junit": directory / "junit.xml",
        "markdown": directory / "summary.md",
    }
    targets = [Target(name, str(path)) for name, path in files.items()]
    targets.append(Target("console", "-"))
    write_outputs(report, targets)
    if inputs.annotations:
        write_outputs(report, [Target("github", "-")])
    _summarise(environ.get("GITHUB_STEP_SUMMARY"), files["markdown"])
    outputs.write(_values(report, files))
    return report.decision.exit_code


def _request(inputs: Inputs, environ: Mapping[str, str], directory: Path) -> Request:
    policies: Sequence[str] = inputs.policies
    waivers, data, trust = inputs.waivers, list(inputs.data), inputs.trust
    notes: list[Degradation] = []
    ref = _trusted_ref(inputs, environ)
    if ref is not None:
        shipped = {*collection_names(), *pack_names(), *(f"pack:{p}" for p in pack_names())}
        trusted = _Trusted(ref, directory / "trusted")
        policies = [p if p in shipped else trusted.path(p) for p in policies]
        waivers = trusted.path(waivers) if waivers else ""
        trust = trusted.path(trust) if trust else ""
        data = [trusted.path(d) for d in data]
    elif waivers or any(not _is_shipped(p) for p in policies):
        notes.append(
            Degradation(
                code="policies_from_checkout",
                message="policies and waivers were taken from the commit under judgement",
            )
        )
    return Request(
        paths=(inputs.path,),
        policies=policies,
        data=data,
        waivers=waivers or None,
        trust=Path(trust) if trust else None,
        fail_on=inputs.fail_on,  # type: ignore[arg-type]
        as_of_ns=parse_time(inputs.as_of) if inputs.as_of else None,
        base_ref=ref,
        environ=environ,
        degradations=notes,
    )


def _is_shipped(name: str) -> bool:
    return name.startswith("pack:") or name in {*collection_names(), *pack_names()}


def _trusted_ref(inputs: Inputs, environ: Mapping[str, str]) -> str | None:
    """The commit that policies come from: as given, or the base of the pull request."""
    if inputs.policies_ref:
        return inputs.policies_ref
    if not environ.get("GITHUB_EVENT_NAME", "").startswith("pull_request"):
        return None
    event = _event(environ.get("GITHUB_EVENT_PATH"))
    base = event.get("pull_request", {}).get("base", {}).get("sha")
    if not isinstance(base, str) or not base:
        raise UsageError(
            "action_base_unknown",
            "this is a pull request, but the event does not say its base commit",
            hint="set the input policies-ref",
        )
    return base


def _event(path: str | None) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class _Trusted:
    """Files and folders of the repository as they were at a commit."""

    def __init__(self, ref: str, directory: Path) -> None:
        self.ref = ref
        self.directory = directory

    def path(self, name: str) -> str:
        """Where a copy of ``name`` at the commit stands; made when first asked for."""
        relative = os.path.relpath(os.path.realpath(name), os.path.realpath("."))
        if relative.startswith(".."):
            # Outside the checkout: the pull request cannot change it.
            return name
        export_tree(Path("."), self.ref, relative, self.directory)
        return str(self.directory / relative)


class _Outputs:
    """Writes step outputs; values may hold anything, so delimiters are random."""

    def __init__(self, path: str | None) -> None:
        self.path = path

    def write(self, values: Mapping[str, str]) -> None:
        if not self.path:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            for name, value in values.items():
                mark = f"adjudge-{secrets.token_hex(16)}"
                file.write(f"{name}<<{mark}\n{value}\n{mark}\n")


def _values(report: Report, files: Mapping[str, Path]) -> dict[str, str]:
    decision, counts = report.decision, report.counts
    return {
        "decision": decision.outcome,
        "decision-id": decision.decision_id,
        "decision-digest": decision.digest,
        "deny-count": str(counts["fail"] + counts["error"]),
        "warn-count": str(counts["warn"]),
        "waived-count": str(counts["waived"]),
        "report-path": str(files["html"]),
        "sarif-path": str(files["sarif"]),
        "decision-path": str(files["json"]),
    }


def _summarise(path: str | None, markdown: Path) -> None:
    if not path:
        return
    text = markdown.read_text(encoding="utf-8")
    room = SUMMARY_LIMIT - (os.path.getsize(path) if os.path.exists(path) else 0)
    with open(path, "a", encoding="utf-8") as file:
        file.write(text.encode()[: max(room, 0)].decode(errors="ignore"))


def failure_lines(message: str) -> Iterator[str]:
    """A workflow command that shows why there is no verdict."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    yield f"::error title=adjudge%3A no verdict::{escaped}"
