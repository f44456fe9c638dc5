"""Statements over a directory: signed file digests in, how much of the directory they cover out.

OpenSSF Model Signing, predicate type ``https://model_signing/signature/v1.0`` (whole files and
shards of files) and the older ``https://model_signing/Digests/v0.1``, and any other in-toto
statement whose subjects are files of the directory.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from adjudge.trust.parsing import field as member
from adjudge.trust.parsing import optional
from adjudge.trust.reasons import Refused
from adjudge.trust.statement import Statement

MODEL_SIGNATURE = "https://model_signing/signature/v1.0"
MODEL_DIGESTS = "https://model_signing/Digests/v0.1"
_DIGEST_SIZES = {"sha256": 64, "sha384": 96, "sha512": 128, "blake2b": 128, "blake3": 64}
"""Hexadecimal digits of the digests that a manifest may use."""
_WORKERS = min(8, os.cpu_count() or 1)
_MAX_RESOURCES = 200_000
_SHOWN = 5


Measure: TypeAlias = Callable[[str, str, int, "int | None"], tuple[str, int]]
"""Path, algorithm, start and length in; digest (hex) and number of bytes read out."""


@dataclass(frozen=True)
class Tree:
    """The files of a directory: SHA-256 (hex) by relative path, and its symbolic links.

    Signature files are left out by whoever makes it.  ``measure`` computes other digests, of
    parts of files too; ``sizes`` are in bytes.  Without them only statements with SHA-256 of
    whole files can be compared.
    """

    files: Mapping[str, str]
    symlinks: Collection[str] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    measure: Measure | None = None


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
    elif statement.predicate_type == MODEL_DIGESTS:
        _cover_digests(statement, tree, coverage)
    else:
        _cover_subjects(statement, tree, coverage)
    if coverage.missing_files or coverage.changed_files:
        bad = coverage.changed_files + coverage.missing_files
        more = f" and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else ""
        raise Refused("files_changed", ", ".join(bad[:_SHOWN]) + more)


class _Part(NamedTuple):
    """A file, or a shard of one from ``start`` (included) to ``end`` (None: the whole file)."""

    path: str
    algorithm: str
    digest: str
    start: int = 0
    end: int | None = None


def _cover_model(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    serialization = member(statement.predicate, dict, "serialization", code="statement_invalid")
    ignored = optional(serialization, list, "ignore_paths", code="statement_invalid") or []
    if not all(isinstance(path, str) for path in ignored):
        raise Refused("statement_invalid", "ignore_paths holds something else than paths")
    coverage.ignored_paths = sorted(ignored)
    allowed = optional(serialization, bool, "allow_symlinks", code="statement_invalid")
    coverage.allow_symlinks = bool(allowed)
    parts = _parts(statement.predicate, serialization)
    _check_root_digest(statement, parts)
    _compare(_fitting(parts, tree), {part.path for part in parts}, tree, coverage)


def _parts(predicate: Any, serialization: dict[str, Any]) -> list[_Part]:
    """What was signed, in the order of the statement."""
    method = optional(serialization, str, "method", code="statement_invalid")
    stated = member(serialization, str, "hash_type", code="statement_invalid")
    if method not in ("files", "shards") or stated not in _DIGEST_SIZES:
        what = f"{method} with {stated}"[:80]
        raise Refused("serialization_unsupported", what)
    size = _shard_size(serialization) if method == "shards" else 0
    listed = member(predicate, list, "resources", code="statement_invalid")
    if not 0 < len(listed) <= _MAX_RESOURCES:
        raise Refused("statement_invalid", f"it names {len(listed)} files")
    parts: list[_Part] = []
    seen: set[str] = set()
    for item in listed:
        name = member(item, str, "name", code="statement_invalid")
        digest = _hex(member(item, str, "digest", code="statement_invalid"), stated)
        algorithm = member(item, str, "algorithm", code="statement_invalid")
        if algorithm not in (stated, f"{stated}-sharded-{size}"):
            raise Refused("statement_invalid", "a file has another digest than the statement says")
        part = _Part(name, stated, digest) if not size else _shard(name, stated, digest, size)
        if name in seen or not _inside(part.path):
            raise Refused("statement_invalid", "a file is named twice or leads out of the model")
        seen.add(name)
        parts.append(part)
    return parts


def _shard_size(serialization: dict[str, Any]) -> int:
    """The size of shards; the reference implementation writes it with a decimal point."""
    size = member(serialization, object, "shard_size", code="statement_invalid")
    whole = isinstance(size, int | float) and not isinstance(size, bool) and size == size // 1
    if not whole or not 0 < size < 1 << 53:  # type: ignore[operator]
        raise Refused("statement_invalid", "shard_size is no number of bytes")
    return int(size)  # type: ignore[call-overload, no-any-return]


def _shard(name: str, algorithm: str, digest: str, size: int) -> _Part:
    """The shard ``path:start:end``."""
    path, _, rest = name.partition(":")
    first, _, last = rest.partition(":")
    if not all(n.isascii() and n.isdecimal() and len(n) < 20 for n in (first, last)):
        raise Refused("statement_invalid", "a shard is not named path:start:end")
    start, end = int(first), int(last)
    if start % size or not start < end <= start + size:
        raise Refused("statement_invalid", "a shard does not lie where its size puts it")
    return _Part(path, algorithm, digest, start, end)


def _hex(digest: str, algorithm: str) -> str:
    lower = digest.lower()
    if len(lower) != _DIGEST_SIZES[algorithm] or set(lower) - set("0123456789abcdef"):
        raise Refused("statement_invalid", "a digest is not what its algorithm makes")
    return lower


def _fitting(parts: Iterable[_Part], tree: Tree) -> set[str]:
    """The files of which every part is as it was signed, and all of which was signed."""
    present = [part for part in parts if part.path in tree.files]
    with ThreadPoolExecutor(_WORKERS) as pool:
        same = list(pool.map(lambda part: _is_same(part, tree), present))
    bad = {part.path for part, fits in zip(present, same, strict=True) if not fits}
    signed: dict[str, int] = {}
    for part in present:
        if part.end is not None:
            signed[part.path] = signed.get(part.path, 0) + part.end - part.start
    # Shards lie on multiples of their size and are named once: those that fit and add up to
    # the size of the file cover every byte.
    bad |= {path for path, size in signed.items() if size != tree.sizes.get(path)}
    return {part.path for part in present} - bad


def _is_same(part: _Part, tree: Tree) -> bool:
    if part.algorithm == "sha256" and part.end is None:
        return tree.files[part.path] == part.digest
    if tree.measure is None:
        raise Refused("serialization_unsupported", "only SHA-256 of whole files can be compared")
    length = None if part.end is None else part.end - part.start
    digest, size = tree.measure(part.path, part.algorithm, part.start, length)
    return digest == part.digest and length in (None, size)


def _cover_digests(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    """The layout before 1.0: each file is a subject."""
    parts: dict[str, _Part] = {}
    for subject in statement.subjects:
        name, digest = subject.name or "", subject.strong().get("sha256", "")
        if name in parts or not _inside(name):
            raise Refused("statement_invalid", "a file is named twice or leads out of the model")
        parts[name] = _Part(name, "sha256", _hex(digest, "sha256"))
    _compare(_fitting(parts.values(), tree), set(parts), tree, coverage)


def _inside(name: str) -> bool:
    steps = name.split("/")
    return "\0" not in name and not {"", ".", ".."} & set(steps)


def _check_root_digest(statement: Statement, parts: Iterable[_Part]) -> None:
    """The one subject's digest is the SHA-256 over the file digests in the statement's order."""
    joined = b"".join(bytes.fromhex(part.digest) for part in parts)
    stated = [s.strong().get("sha256") for s in statement.subjects]
    if stated != [hashlib.sha256(joined).hexdigest()]:
        raise Refused("statement_invalid", "its subject is not the digest of its files")


def _cover_subjects(statement: Statement, tree: Tree, coverage: Coverage) -> None:
    """A statement such as SLSA provenance: subjects fit by digest, names must not contradict."""
    digests = {d for s in statement.subjects if (d := s.strong().get("sha256"))}
    named = {s.name: d for s in statement.subjects if s.name and (d := s.strong().get("sha256"))}
    fitting = {name for name, digest in tree.files.items() if digest in digests}
    contradicted = {n for n, d in named.items() if n in tree.files and tree.files[n] != d}
    if not fitting and not contradicted:
        raise Refused("subject_mismatch")
    _compare(fitting - contradicted, fitting | contradicted, tree, coverage)


def _compare(same: Collection[str], signed: set[str], tree: Tree, coverage: Coverage) -> None:
    """Note which files are as signed (``same``), of those that were (``signed``)."""
    files, links = tree.files, set(tree.symlinks)
    coverage.covered = len(same)
    changed = files.keys() - set(same)
    coverage.changed_files = sorted(name for name in signed if name in links or name in changed)
    coverage.missing_files = sorted(n for n in signed if n not in files and n not in links)
    coverage.unsigned_files = sorted(name for name in files if name not in signed)
    coverage.symlinks = sorted(links)
