"""Statements over a directory: signed file digests in, how much of the directory they cover out.

OpenSSF Model Signing, predicate type ``https://model_signing/signature/v1.0``, and any other
in-toto statement whose subjects are files of the directory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from adjudge.trust.parsing import field as member
from adjudge.trust.parsing import optional
from adjudge.trust.reasons import Refused
from adjudge.trust.statement import Statement

MODEL_SIGNATURE = "https://model_signing/signature/v1.0"
_MAX_RESOURCES = 200_000
_SHOWN = 5


@dataclass(frozen=True)
class Tree:
    """The files of a directory: SHA-256 (hex) by relative path, and its symbolic links.

    Signature files are left out by whoever makes it.
    """

    files: Mapping[str, str]
    symlinks: Collection[str] = ()


@dataclass
class Coverage:
    """How much of an artifact one statement covers; lists are sorted paths."""

    files: int
    covered: int = 0
    unsigned_files: list[str] = field(default_factory=list)
    changed_files: list[str] = field(default_factory=list)
    missing_files: list[str] = field(default_factory=list)
    ignored_paths: list[str] = field(default_factory=list)
    symlinks: list[str] = field(default_factory=list)
    allow_symlinks: bool = False

    @property
    def complete(self) -> bool:
        """Whether every file is covered, is as signed, and no link leads anywhere."""
        loose = self.unsigned_files or self.changed_files or self.missing_files or self.symlinks
        return self.files > 0 and self.covered == self.files and not loose

    def as_facts(self) -> dict[str, Any]:
        """The coverage as policies see it."""
        percent = 100.0 * self.covered / self.files if self.files else 0.0
        return {
            "files": self.files,
            "covered": self.covered,
            "percent": round(percent, 2),
            "complete": self.complete,
            "unsigned_files": self.unsigned_files,
            "changed_files": self.changed_files,
            "missing_files": self.missing_files,
            "ignored_paths": self.ignored_paths,
            "symlinks": self.symlinks,
            "allow_symlinks": self.allow_symlinks,
        }


def nothing_covered(tree: Tree) -> Coverage:
    """The coverage of a directory without any signature."""
    return Coverage(
        len(tree.files), unsigned_files=sorted(tree.files), symlinks=sorted(tree.symlinks)
    )


def cover(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    """Compare the directory with the statement and put the outcome into ``coverage``.

    Raises :class:`Refused` (``files_changed``, ``subject_mismatch``, ``statement_invalid``,
    ``serialization_unsupported``) when the directory is not what was signed; files that the
    statement does not name are no reason, they stand in the coverage.
    """
    if statement.predicate_type == MODEL_SIGNATURE:
        _cover_model(statement, tree, coverage)
    else:
        _cover_subjects(statement, tree, coverage)
    if coverage.missing_files or coverage.changed_files:
        bad = coverage.changed_files + coverage.missing_files
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise Refused("files_changed", ", ".join(bad[:_SHOWN]) + more)


def _cover_model(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    predicate = statement.predicate
    serialization = member(predicate, dict, "serialization", code="statement_invalid")
    signed = _resources(predicate)
    _check_root_digest(statement, signed)
    method = optional(serialization, str, "method", code="statement_invalid")
    if method != "files" or any(algorithm != "sha256" for algorithm, _ in signed.values()):
        raise Refused("serialization_unsupported", "files with SHA-256 are supported")
    ignored = optional(serialization, list, "ignore_paths", code="statement_invalid") or []
    if not all(isinstance(path, str) for path in ignored):
        raise Refused("statement_invalid", "ignore_paths holds something else than paths")
    coverage.ignored_paths = sorted(ignored)
    allowed = optional(serialization, bool, "allow_symlinks", code="statement_invalid")
    coverage.allow_symlinks = bool(allowed)
    _compare({name: digest for name, (_, digest) in signed.items()}, tree, coverage)


def _resources(predicate: Any) -> dict[str, tuple[str, str]]:
    """Algorithm and hex digest by path, in the order of the statement."""
    listed = member(predicate, list, "resources", code="statement_invalid")
    if not 0 < len(listed) <= _MAX_RESOURCES:
        raise Refused("statement_invalid", f"it names {len(listed)} files")
    found: dict[str, tuple[str, str]] = {}
    for item in listed:
        name = member(item, str, "name", code="statement_invalid")
        digest = member(item, str, "digest", code="statement_invalid").lower()
        if name in found or not _inside(name):
            raise Refused("statement_invalid", "a file is named twice or leads out of the model")
        found[name] = (member(item, str, "algorithm", code="statement_invalid"), digest)
    return found


def _inside(name: str) -> bool:
    steps = name.split("/")
    return "\0" not in name and not {"", ".", ".."} & set(steps)


def _check_root_digest(statement: Statement, signed: Mapping[str, tuple[str, str]]) -> None:
    """The one subject's digest is the SHA-256 over the file digests in the statement's order."""
    try:
        joined = b"".join(bytes.fromhex(digest) for _, digest in signed.values())
    except ValueError:
        raise Refused("statement_invalid", "a digest is not hexadecimal") from None
    stated = [s.strong().get("sha256") for s in statement.subjects]
    if stated != [hashlib.sha256(joined).hexdigest()]:
        raise Refused("statement_invalid", "its subject is not the digest of its files")


def _cover_subjects(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    """A statement such as SLSA provenance: subjects fit by digest, names must not contradict."""
    digests = {d for s in statement.subjects if (d := s.strong().get("sha256"))}
    named = {s.name: d for s in statement.subjects if s.name and (d := s.strong().get("sha256"))}
    fitting = {name: digest for name, digest in tree.files.items() if digest in digests}
    contradicted = {n: d for n, d in named.items() if n in tree.files and tree.files[n] != d}
    if not fitting and not contradicted:
        raise Refused("subject_mismatch")
    _compare(fitting | contradicted, tree, coverage)


def _compare(signed: Mapping[str, str], tree: Tree, coverage: Coverage) -> None:
    files, links = tree.files, set(tree.symlinks)
    same = [name for name, digest in signed.items() if files.get(name) == digest]
    coverage.covered = len(same)
    coverage.changed_files = sorted(
        name for name in signed if (name in files and files[name] != signed[name]) or name in links
    )
    coverage.missing_files = sorted(n for n in signed if n not in files and n not in links)
    coverage.unsigned_files = sorted(name for name in files if name not in signed)
    coverage.symlinks = sorted(links)
