"""The environment of a GitHub Actions step in; a judgement, its outputs and summary out.

Everything comes through environment variables, nothing through the text of a script.  On
a pull request the policies and waivers of the repository are taken from the base commit,
so that a change cannot swap what judges it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TextIO

from adjudge.decision.model import Degradation
from adjudge.decision.times import parse_time
from adjudge.errors import AdjudgeError, InputError, UsageError
from adjudge.exports.escape import command_data
from adjudge.exports.report import Report
from adjudge.exports.writing import Target, write_outputs
from adjudge.gate.gittree import TrustedFiles
from adjudge.gate.noverdict import no_verdict_report
from adjudge.gate.run import DEFAULT_POLICIES, Request, is_shipped, run
from adjudge.gate.trustsettings import trust_files
from adjudge.policyset.files import parse_configuration
from adjudge.policyset.places import find_place
from adjudge.policyset.shipped import COLLECTIONS

SUMMARY_LIMIT: Final = 1_000_000
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


@dataclass(frozen=True, slots=True)
class Event:
    """What the event that started the workflow says.

    ``base`` is the commit a change is judged against, ``fork`` the ``owner/name`` of the
    repository it comes from when that is another one; None for what is no proposed change.
    """

    base: str | None = None
    fork: str | None = None


def read_inputs(environ: Mapping[str, str]) -> Inputs:
    """The inputs in ``ADJUDGE_INPUT_…`` variables; lists are one item a line.

    Raises UsageError ``action_input_invalid``.
    """

    def one(name: str, default: str = "") -> str:
        return environ.get(f"ADJUDGE_INPUT_{name}", "").strip() or default

    def many(name: str) -> tuple[str, ...]:
        return tuple(line.strip() for line in one(name).splitlines() if line.strip())

    def choice(name: str, first: str, second: str) -> str:
        value = one(name, first).lower()
        if value not in (first, second):
            shown = name.lower().replace("_", "-")
            raise UsageError(
                "action_input_invalid", f"{shown} is {first} or {second}, not {value[:40]!r}"
            )
        return value

    return Inputs(
        path=one("PATH", "."),
        policies=many("POLICIES") or DEFAULT_POLICIES,
        policies_ref=one("POLICIES_REF"),
        waivers=one("WAIVERS"),
        data=many("DATA"),
        trust=one("TRUST"),
        fail_on=choice("FAIL_ON", "deny", "warn"),
        as_of=one("AS_OF"),
        category=one("CATEGORY", "adjudge"),
        annotations=choice("ANNOTATIONS", "true", "false") == "true",
    )


def run_action(environ: Mapping[str, str], stdout: TextIO | None = None) -> int:
    """Judge, write what the later steps need, and give the exit code 0, 1 or 2.

    Without a verdict the files and outputs are written, too, and then the ``AdjudgeError``
    that is the reason is raised.
    """
    temporary = environ.get("RUNNER_TEMP") or None
    directory = Path(tempfile.mkdtemp(prefix="adjudge-", dir=temporary))
    outputs = _Outputs(environ.get("GITHUB_OUTPUT"))
    # What stands first holds when nothing follows.
    outputs.write({"decision": "no_verdict", "report-directory": str(directory)})
    try:
        inputs = read_inputs(environ)
    except AdjudgeError as error:
        inputs = read_inputs({})
        _publish(_failed(error, inputs, environ), inputs, environ, directory, outputs, stdout)
        raise
    try:
        with tempfile.TemporaryDirectory(prefix="adjudge-", dir=temporary) as trusted:
            report = run(_request(inputs, environ, Path(trusted)))
    except AdjudgeError as error:
        _publish(_failed(error, inputs, environ), inputs, environ, directory, outputs, stdout)
        raise
    _publish(report, inputs, environ, directory, outputs, stdout)
    return report.decision.exit_code


def _failed(error: AdjudgeError, inputs: Inputs, environ: Mapping[str, str]) -> Report:
    return no_verdict_report(
        error,
        time.time_ns(),
        subject=inputs.path,
        policies="+".join(inputs.policies),
        fail_on=inputs.fail_on,  # type: ignore[arg-type]
        environ=environ,
    )


def _publish(
    report: Report,
    inputs: Inputs,
    environ: Mapping[str, str],
    directory: Path,
    outputs: _Outputs,
    stdout: TextIO | None,
) -> None:
    """Write the reports, the log of the step, its outputs and its summary."""
    report = replace(report, options=replace(report.options, category=inputs.category))
    files = {
        "json": directory / "decision.json",
        "sarif": directory / "adjudge.sarif",
        "html": directory / "report.html",
        "junit": directory / "junit.xml",
        "markdown": directory / "summary.md",
    }
    targets = [Target(name, str(path)) for name, path in files.items()]
    write_outputs(report, [*targets, Target("console", "-")], stdout)
    if inputs.annotations:
        write_outputs(report, [Target("github", "-")], stdout)
    outputs.write(_values(report, files))
    _summarise(environ.get("GITHUB_STEP_SUMMARY"), files["markdown"])


# --- what is judged by what -----------------------------------------------------------------------


def _request(inputs: Inputs, environ: Mapping[str, str], directory: Path) -> Request:
    event = read_event(environ)
    ref = inputs.policies_ref or event.base
    policies, waivers, trust, data = inputs.policies, inputs.waivers, inputs.trust, inputs.data
    notes: list[Degradation] = []
    if ref is not None:
        with _about_ref(inputs):
            trusted = TrustedFiles(ref, directory, event.fork)
            policies = tuple(p if is_shipped(p) else _policies(trusted, p) for p in policies)
            waivers = trusted.path(waivers) if waivers else ""
            trust = _trust(trusted, trust) if trust else ""
            data = tuple(map(trusted.path, data))
    elif waivers or trust or data or not all(map(is_shipped, policies)):
        notes.append(
            Degradation(
                code="policies_from_checkout",
                message="what decides was taken from the commit under judgement",
            )
        )
    return Request(
        paths=(inputs.path,),
        policies=policies,
        data=data,
        waivers=waivers or None,
        waivers_trusted=ref is not None,
        trust=Path(trust) if trust else None,
        fail_on=inputs.fail_on,  # type: ignore[arg-type]
        as_of_ns=parse_time(inputs.as_of) if inputs.as_of else None,
        base_ref=event.base,
        environ=environ,
        degradations=notes,
    )


@contextmanager
def _about_ref(inputs: Inputs) -> Iterator[None]:
    """Says of errors about the base of a change that they are not about an input."""
    try:
        yield
    except UsageError as error:
        if error.code != "git_ref_unknown" or inputs.policies_ref:
            raise
        raise UsageError(
            error.code,
            error.message.replace("no commit", "no base commit"),
            hint="check out with fetch-depth: 0, or let the checkout keep its credentials",
        ) from None


def _policies(trusted: TrustedFiles, name: str) -> str:
    """Policies of the repository; with a collection come the policies that it chooses from."""
    try:
        copy = trusted.path(name)
    except InputError as error:
        if error.code == "trusted_path_missing":
            find_place(name)  # says more about what is nowhere, as a misspelt name
        raise
    if copy != name and os.path.isfile(copy) and _is_collection(Path(copy)):
        folder = os.path.dirname(os.path.normpath(name))
        if os.path.basename(folder) == COLLECTIONS:
            folder = os.path.dirname(folder)
        trusted.path(folder or ".")
    return copy


def _is_collection(path: Path) -> bool:
    if path.suffix not in (".yaml", ".yml"):
        return False
    return bool(re.search(rb"""^["']?kind["']?\s*:\s*["']?Collection\b""", path.read_bytes(), re.M))


def _trust(trusted: TrustedFiles, name: str) -> str:
    """The trust settings of the repository, with the keys and roots that they name."""
    copy = trusted.path(name)
    if copy == name or not os.path.isfile(copy):
        return copy
    try:
        text = Path(copy).read_text(encoding="utf-8-sig")
        named = list(trust_files(parse_configuration(text, copy).value))
    except (AdjudgeError, AttributeError, TypeError, UnicodeDecodeError):
        return copy  # what is wrong with it is said when it is read
    folder = os.path.dirname(os.path.normpath(name))
    for file in named:
        if isinstance(file, str) and file:
            trusted.path(os.path.join(folder, file))
    return copy


def read_event(environ: Mapping[str, str]) -> Event:
    """What the event says about the change under judgement.

    Raises UsageError ``action_base_unknown`` for a proposed change that does not say what it
    is based on, unless the input ``policies-ref`` does.
    """
    name = environ.get("GITHUB_EVENT_NAME", "")
    payload = _payload(environ.get("GITHUB_EVENT_PATH"))
    if name == "merge_group":
        base, fork = _text(payload, "merge_group", "base_sha"), None
    elif name.startswith("pull_request"):
        base = _text(payload, "pull_request", "base", "sha")
        mine = _text(payload, "pull_request", "base", "repo", "full_name")
        fork = _text(payload, "pull_request", "head", "repo", "full_name")
        fork = None if fork is None or fork == mine else fork
    else:
        return Event()
    if base is None or not re.fullmatch(r"[0-9a-f]{40}([0-9a-f]{24})?", base):
        if environ.get("ADJUDGE_INPUT_POLICIES_REF", "").strip():
            return Event(fork=fork)
        raise UsageError(
            "action_base_unknown",
            f"this is a {name.replace('_', ' ')}, but the event does not say its base commit",
            hint="set the input policies-ref",
        )
    return Event(base, fork)


def _payload(path: str | None) -> Any:
    try:
        return json.loads(Path(path).read_text(encoding="utf-8")) if path else None
    except (OSError, ValueError, RecursionError):
        return None


def _text(value: Any, *names: str) -> str | None:
    """The text that stands below ``names``, None when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) and value else None


# --- what later steps get -------------------------------------------------------------------------


class _Outputs:
    """Writes step outputs; values may hold anything, so delimiters are random."""

    def __init__(self, path: str | None) -> None:
        self.path = path

    def write(self, values: Mapping[str, str]) -> None:
        """Append values; a later one of the same name replaces an earlier one."""
        if not self.path:
            return
        with open(self.path, "a", encoding="utf-8", errors="surrogateescape") as file:
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
    yield f"::error title=adjudge%3A no verdict::{command_data(message)}"
