"""A verified artifact in; what was established about it, and what could not be, out as text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import click

from adjudge.cli.terminal import safe
from adjudge.documents.model import Document

_SHOWN = 10
_MARKS = {True: "ok", False: "FAILED", None: "-"}
_BUILD = (
    ("source_repository_uri", "repository"),
    ("source_repository_ref", "ref"),
    ("source_repository_digest", "commit"),
    ("build_config_uri", "workflow"),
    ("build_signer_uri", "built by"),
    ("build_trigger", "trigger"),
    ("runner_environment", "runner"),
    ("run_invocation_uri", "run"),
)


class Check(NamedTuple):
    """One thing looked at.  ``ok`` None: it could not be established, which may be no fault."""

    name: str
    ok: bool | None
    message: str


class Findings:
    """What is known about an artifact.

    ``ignored`` are paths that need not be signed; ``max_age`` is in seconds.
    """

    def __init__(
        self,
        document: Document,
        ignored: tuple[str, ...],
        max_age: int | None,
        now: datetime | None,
    ) -> None:
        self.document = document
        self.facts = document.facts
        self.ignored = tuple(path.strip("/") for path in ignored)
        self.max_age = None if max_age is None else timedelta(seconds=max_age)
        self.now = now or datetime.now(UTC)

    @cached_property
    def unsigned(self) -> list[str]:
        """Files and links in the directory that nobody vouches for."""
        coverage = self.facts["coverage"]
        loose = [*coverage["unsigned_files"], *coverage["symlinks"]]
        return [path for path in loose if not self._ignores(path)]

    def _ignores(self, path: str) -> bool:
        return any(path == i or path.startswith(f"{i}/") for i in self.ignored)

    @property
    def verified(self) -> bool:
        """Whether the whole artifact is signed by somebody trusted, and recently enough."""
        return self.reason[0] == "verified"

    @cached_property
    def reason(self) -> tuple[str, str]:
        """The reason code and a sentence."""
        facts = self.facts
        if not facts["verified"]:
            return facts["reason_code"], facts["reason"]
        good = [s for s in facts["signatures"] if s["verified"]]
        if self.max_age is not None and not any(self._fresh(s) for s in good):
            if not any("signed_at" in s for s in good):
                return "no_trusted_time", "no trusted clock says when the signature was made"
            return "too_old", "the signature is older than allowed"
        if facts["artifact"]["type"] == "directory" and self.unsigned:
            count = len(self.unsigned)
            return "files_unsigned", f"the signature does not cover {count} of the files and links"
        return "verified", facts["reason"]

    def _fresh(self, signature: dict[str, Any]) -> bool:
        if self.max_age is None or "signed_at" not in signature:
            return False
        return self.now - datetime.fromisoformat(signature["signed_at"]) <= self.max_age

    def as_document(self) -> dict[str, Any]:
        """Everything as JSON."""
        code, sentence = self.reason
        facts = self.facts
        return {
            "verified": self.verified,
            "reason_code": code,
            "reason": sentence,
            "artifact": facts["artifact"],
            "signers": facts["signers"],
            "signed_at": facts.get("signed_at"),
            "logged": facts["logged"],
            "coverage": facts["coverage"] | {"unsigned": self.unsigned},
            "signatures": [
                s | {"checks": [c._asdict() for c in checks_of(s)]} for s in facts["signatures"]
            ],
            "problems": [p.as_dict() for p in self.document.problems],
        }


def checks_of(signature: dict[str, Any]) -> Iterator[Check]:
    """What was established about one signature, in the order in which it was looked at."""
    authentic = signature["authentic"]
    good = "the signature fits the signed bytes" if authentic else signature["reason"]
    yield Check("signature", authentic, good)
    yield _signer(signature)
    yield from _issuer(signature)
    yield _time(signature)
    yield _log(signature)
    yield from _statement(signature)
    if authentic:
        for key, name in _BUILD:
            if key in signature["extensions"]:
                yield Check(name, True, signature["extensions"][key])
    if "trusted_root_digest" in signature:
        yield Check("root", None, f"trusted root sha256:{signature['trusted_root_digest']}")


def _signer(signature: dict[str, Any]) -> Check:
    verified, reason = signature["verified"], signature["reason"]
    if signature["key_ids"]:
        who = f"the key {signature['key_name']} ({signature['key_algorithm']})"
        if len(signature["key_ids"]) > 1:
            who = f"{len(signature['key_ids'])} of the trusted keys, first {who}"
        ids = ", ".join(key[:16] for key in signature["key_ids"])
        return Check("signer", verified, f"{who}, {ids}" + ("" if verified else f": {reason}"))
    if "identity" in signature:
        names = ", ".join(signature["identities"]) or signature["identity"]
        return Check("signer", verified, names if verified else f"{names}: {reason}")
    if "claimed_identity" in signature:
        claimed = signature["claimed_identity"]
        return Check("signer", None, f"not proved; the certificate says {claimed}")
    return Check("signer", None, "nothing says who signed")


def _issuer(signature: dict[str, Any]) -> Iterator[Check]:
    if "issuer" in signature:
        yield Check("issuer", True, signature["issuer"])
    elif "claimed_issuer" in signature:
        yield Check("issuer", None, f"not proved; {signature['claimed_issuer']}")
    if "certificate" in signature:
        c = signature["certificate"]
        valid = f"{c['not_before']} to {c['not_after']}"
        by = f"by {c['issuer'] or 'nobody'}, valid {valid}, sha256:{c['sha256']}"
        yield Check("certificate", True if signature["authentic"] else None, by)


def _time(signature: dict[str, Any]) -> Check:
    if "signed_at" not in signature:
        return Check("time", None, "no trusted clock says when it was signed")
    source = signature["time_source"].replace("_", " ")
    return Check("time", True, f"{signature['signed_at']}, by a {source}")


def _log(signature: dict[str, Any]) -> Check:
    log = signature.get("log")
    if log is None:
        return Check("log", None, "no entry in a transparency log")
    entry = f"entry {log['index']} ({log['kind']}) of log {log['log_id'][:16]}"
    if not log["verified"]:
        return Check("log", None, f"{entry}, not proved")
    return Check("log", True, entry)


def _statement(signature: dict[str, Any]) -> Iterator[Check]:
    ok = True if signature["authentic"] else None
    if "predicate_type" in signature:
        yield Check("statement", ok, signature["predicate_type"])
    for subject in signature["subjects"][:_SHOWN]:
        digests = " ".join(f"{k}:{v}" for k, v in sorted(subject["digest"].items()))
        yield Check("subject", ok, f"{subject.get('name') or '(no name)'} {digests}")
    if len(signature["subjects"]) > _SHOWN:
        yield Check("subject", ok, f"and {len(signature['subjects']) - _SHOWN} more")


def show(findings: Findings) -> None:
    """Print everything on standard output."""
    facts = findings.facts
    about = facts["artifact"]
    what = f"{about['type']}, {about['size']:,} bytes"
    if about["type"] == "directory":
        what = f"directory, {about['files']:,} files, {about['size']:,} bytes"
    _line(f"{about['path']} ({what})")
    _line(f"  sha256:{about['digest']}" + (" (of its file list)" if "files," in what else ""))
    for signature in facts["signatures"]:
        _line(f"\n{signature['path']} ({signature['format'].replace('_', ' ')})")
        for check in checks_of(signature):
            _line(f"  {_MARKS[check.ok]:<7} {check.name:<11} {check.message}")
    if about["type"] == "directory":
        _coverage(findings)
    for problem in findings.document.problems:
        _line(f"  problem {problem.code}: {problem.message}")
    code, sentence = findings.reason
    _line("\nVerified." if findings.verified else f"\nNot verified ({code}): {sentence}.")
    if code == "no_signature":
        _line("  hint: if the signature stands elsewhere, name it: --bundle FILE")
    if code == "files_unsigned":
        path = findings.unsigned[0]
        _line(f"  hint: what need not be signed can be left out: --ignore-path {path!r}")


def _coverage(findings: Findings) -> None:
    coverage = findings.facts["coverage"]
    _line(f"\ncoverage: {coverage['covered']} of {coverage['files']} files signed and unchanged")
    _line(f"  {coverage['percent']} %")
    skipped = {*coverage["unsigned_files"], *coverage["symlinks"]} - set(findings.unsigned)
    for name, paths in (
        ("changed", coverage["changed_files"]),
        ("missing", coverage["missing_files"]),
        ("not signed", [p for p in findings.unsigned if p not in coverage["symlinks"]]),
        ("links", [p for p in findings.unsigned if p in coverage["symlinks"]]),
        ("not signed, as you allow", sorted(skipped)),
        ("the signer left out", coverage["ignored_paths"]),
    ):
        if paths:
            more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
            _line(f"  {name}: {', '.join(paths[:_SHOWN])}{more}")


def _line(text: str) -> None:
    click.echo(safe(text))
