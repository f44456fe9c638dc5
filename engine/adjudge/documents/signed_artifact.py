"""A file or model directory in, the signatures beside it verified, as a document out.

Whether a signature counts is a fact, never an exception: see :mod:`adjudge.trust`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from adjudge.documents.hashing import Meter, Progress, hash_files
from adjudge.documents.model import (
    DEFAULT_LIMITS,
    Document,
    Limits,
    LineIndex,
    Parsed,
    Position,
    Problem,
    digest_of_files,
    file_record,
)
from adjudge.documents.reading import Source, Walk, read_json, shown_name
from adjudge.errors import InputError

if TYPE_CHECKING:
    from adjudge.trust import Coverage, Tree, Trust, TrustSettings, Verification

__all__ = ["KIND", "SIGNATURE_SUFFIXES", "artifact_of", "load", "load_signed_artifact"]

KIND: Final = "signed_artifact"
SIGNATURE_SUFFIXES: Final = (
    ".sigstore.json",
    ".sigstore",
    ".bundle.json",
    ".bundle",
    ".intoto.jsonl",
    ".intoto.json",
    ".dsse.json",
    ".dsse",
    ".sig",
)
"""Endings of signature files: ``X.sig`` signs ``X``."""
MODEL_SIGNATURES: Final = ("model.sig", "model.sigstore.json", "model.sigstore")
"""Signature files inside the directory they sign."""

_CERTIFICATE_SUFFIXES = (".pem", ".crt", ".cert")
_TIMESTAMP_SUFFIXES = (".sig.tsr", ".tsr")
_MAX_COMPANION = 1 << 20


def artifact_of(source: Source) -> Source | None:
    """What a signature file signs by its name, if that is there: ``X`` for ``X.sig``, the
    directory for ``model.sig`` in it."""
    if source.name in MODEL_SIGNATURES:
        above = source.relative.rpartition("/")[0] or "."
        return Source(source.root, above)
    for suffix in SIGNATURE_SUFFIXES:
        if source.name.endswith(suffix) and source.name != suffix:
            signed = source.sibling(source.name[: -len(suffix)])
            return signed if signed.type() in ("file", "directory") else None
    return None


def load(
    source: Source,
    limits: Limits = DEFAULT_LIMITS,
    trust: TrustSettings | None = None,
    bundle: Source | None = None,
    progress: Progress | None = None,
) -> Document:
    """The artifact at ``source`` with the signatures found beside it, or with ``bundle`` alone.

    ``source`` may also be the signature file itself.  Without ``trust`` nobody is trusted.
    ``progress`` hears how much is hashed.  Raises the InputErrors of :class:`Source`, and those
    of trust files of the operator.
    """
    # Loading cryptography takes longer than reading an SBOM; only this kind needs it.
    from adjudge.trust import Trust, TrustSettings

    if bundle is None and (signed := artifact_of(source)) is not None:
        source, bundle = signed, source
    given = Trust(trust if trust is not None else TrustSettings())
    meter = Meter(progress)
    if source.type() == "directory":
        return _Directory(source, limits, given, meter).load(bundle)
    return _File(source, given, meter).load(bundle)


def load_signed_artifact(source: Source, bundle: Source | None, trust: TrustSettings) -> Document:
    """:func:`load` with everything named."""
    return load(source, DEFAULT_LIMITS, trust, bundle)


@dataclass
class _Signatures:
    """The signature files that were read, and what they hold."""

    facts: list[dict[str, Any]] = field(default_factory=list)
    results: list[tuple[Verification, Coverage]] = field(default_factory=list)
    parsed: list[Any] = field(default_factory=list)
    places: list[tuple[Parsed | None, Position]] = field(default_factory=list)
    sources: dict[str, LineIndex] = field(default_factory=dict)

    def add(self, source: Source, raw: bytes, checked: list[tuple[Verification, Coverage]]) -> None:
        """Note the signatures of one file, in order."""
        text = raw.decode("utf-8", "replace") if len(checked) == 1 else ""
        for index, (result, coverage) in enumerate(checked):
            parsed = _parsed(text, source)
            if parsed is not None:
                self.sources[source.shown] = parsed.lines
            facts = {k: v for k, v in result.as_facts().items() if v is not None}
            self.facts.append({"path": source.shown, "index": index} | facts)
            self.results.append((result, coverage))
            self.parsed.append(None if parsed is None else parsed.value)
            self.places.append((parsed, Position(source.shown, index + 1, 1)))

    def locate(self, pointer: str) -> Position | None:
        """The place of ``/signatures/<n>/…`` in its file."""
        steps = pointer.split("/", 3)
        if len(steps) < 3 or steps[1] != "signatures" or not steps[2].isdecimal():
            return None
        index = int(steps[2])
        if index >= len(self.places):
            return None
        parsed, start = self.places[index]
        rest = "/" + steps[3] if len(steps) > 3 else ""
        return start if parsed is None else parsed.locate(rest)


def _parsed(text: str, source: Source) -> Parsed | None:
    """The signature file as JSON, when it is."""
    if not text.lstrip("\ufeff \t\r\n").startswith("{"):
        return None
    try:
        return read_json(text.removeprefix("\ufeff"), source.shown)
    except InputError:
        return None


class _Signed:
    """What files and directories have in common."""

    def __init__(self, source: Source, trust: Trust, meter: Meter) -> None:
        self.source = source
        self.trust = trust
        self.meter = meter
        self.problems: list[Problem] = []

    def read(self, source: Source) -> bytes | Verification:
        """The bytes of a signature file, or why they cannot be had."""
        from adjudge.trust import MAX_SIGNATURE_BYTES, Refused, Verification

        try:
            return source.read(MAX_SIGNATURE_BYTES)
        except InputError as error:
            code = "too_large" if error.code == "file_too_large" else "malformed"
            return Verification().refuse(Refused(code, error.message))

    def beside(self) -> Iterator[Source]:
        """The signature files that stand beside the artifact by name."""
        if self.source.relative in ("", "."):
            return
        for suffix in SIGNATURE_SUFFIXES:
            found = self.source.sibling(self.source.name + suffix)
            if _exists(found):
                yield found

    def document(
        self,
        about: dict[str, Any],
        signatures: _Signatures,
        coverage: Coverage,
        files: list[dict[str, Any]],
    ) -> Document:
        """The document for an artifact and its signatures."""
        facts = {"artifact": about} | _summary(signatures) | {"coverage": coverage.as_facts()}
        facts["coverage"] |= {
            key: [shown_name(name) for name in facts["coverage"][key]]
            for key in ("unsigned_files", "changed_files", "missing_files", "symlinks")
        }
        return Document(
            kind=KIND,
            path=self.source.shown,
            digest=about["digest"],
            size=about["size"],
            document={"signatures": signatures.parsed},
            facts=facts,
            problems=self.problems,
            files=files,
            locator=signatures.locate,
            origins={f"/signatures/{i}": f"/signatures/{i}" for i in range(len(signatures.facts))},
            sources=signatures.sources,
        )


class _File(_Signed):
    """One signed file."""

    def load(self, bundle: Source | None) -> Document:
        """Verify what stands beside the file, or the given bundle."""
        from adjudge.trust import Artifact, Coverage, verify_file

        digest = hash_files({"": self.source}, self.meter)[""]
        artifact = Artifact(self.source.open, {"sha256": bytes.fromhex(digest.sha256)})
        signatures = _Signatures()
        for source in [bundle] if bundle is not None else list(self.beside()):
            raw = self.read(source)
            if isinstance(raw, bytes):
                certificate = self._companion(source, _CERTIFICATE_SUFFIXES)
                timestamp = self._companion(source, _TIMESTAMP_SUFFIXES)
                checked = verify_file(raw, artifact, self.trust, certificate, timestamp)
            else:
                checked, raw = [raw], b""
            covered = [(r, Coverage(1, covered=int(r.verified))) for r in checked]
            signatures.add(source, raw, covered)
        verified = any(r.verified for r, _ in signatures.results)
        coverage = Coverage(1, covered=int(verified))
        if not verified:
            coverage.unsigned_files = [self.source.relative]
        about = {
            "path": self.source.shown,
            "type": "file",
            "digest": digest.sha256,
            "size": digest.size,
            "files": 1,
        }
        return self.document(about, signatures, coverage, [])

    def _companion(self, signature: Source, suffixes: tuple[str, ...]) -> bytes | None:
        """What belongs to a plain signature: ``X.pem`` and ``X.tsr`` beside ``X.sig``."""
        if not signature.name.endswith(".sig"):
            return None
        for suffix in suffixes:
            found = signature.sibling(signature.name[: -len(".sig")] + suffix)
            if found.name != self.source.name and _exists(found):
                try:
                    return found.read(_MAX_COMPANION)
                except InputError as error:
                    self.problems.append(Problem(error.code, error.message))
        return None


class _Directory(_Signed):
    """A signed model directory."""

    def __init__(self, source: Source, limits: Limits, trust: Trust, meter: Meter) -> None:
        super().__init__(source, trust, meter)
        self.limits = limits

    def load(self, bundle: Source | None) -> Document:
        """Verify what stands in and beside the directory, or the given bundle."""
        from adjudge.trust import Tree

        inside = [s for n in MODEL_SIGNATURES if _exists(s := self.source.child(n))]
        found = [bundle] if bundle is not None else [*inside, *self.beside()]
        # A given signature may stand anywhere; only what is in this directory is left out of it.
        names = {s.relative for s in [*found, *inside] if s.root == self.source.root}
        walk = self.source.walk(self.limits)
        files, sizes, links = self._hash(walk, names)
        tree = Tree(files, links, sizes, self._measure)
        signatures = _Signatures()
        for source in found:
            raw = self.read(source)
            if isinstance(raw, bytes):
                signatures.add(source, raw, self._verify(raw, tree))
            else:
                signatures.add(source, b"", [(raw, _nothing(tree))])
        records = [file_record(shown_name(n), d, sizes[n]) for n, d in files.items()]
        coverage = _best(signatures, tree)
        if walk.truncated:
            self.problems.append(
                Problem("too_many_files", "the directory has more files than were looked at")
            )
            coverage.unsigned_files.append("…")
        about = {
            "path": self.source.shown,
            "type": "directory",
            "digest": digest_of_files(records),
            "size": sum(sizes.values()),
            "files": len(files),
        }
        return self.document(about, signatures, coverage, records)

    def _hash(
        self, walk: Walk, signatures: set[str]
    ) -> tuple[dict[str, str], dict[str, int], list[str]]:
        """Digests and sizes by path below the directory, and the symbolic links."""
        start = "" if self.source.relative in ("", ".") else self.source.relative + "/"
        found = {
            source.relative.removeprefix(start): source
            for source in walk.files()
            if source.relative not in signatures
        }
        digests = hash_files(found, self.meter)
        links = [e.source.relative.removeprefix(start) for e in walk.entries if e.type == "symlink"]
        return (
            {name: digest.sha256 for name, digest in digests.items()},
            {name: digest.size for name, digest in digests.items()},
            links,
        )

    def _measure(
        self, path: str, algorithm: str, start: int, length: int | None
    ) -> tuple[str, int]:
        """Another digest of a file or of a part of it, for signatures that name such."""
        from adjudge.trust import hash_stream

        source = self.source.child(path)
        with source.open() as stream:
            self.meter.expect(source.size() - start if length is None else length)
            return hash_stream(stream, algorithm, start, length, self.meter.advance)

    def _verify(self, raw: bytes, tree: Tree) -> list[tuple[Verification, Coverage]]:
        from adjudge.trust import split_signatures, subject_of_tree, verify_one

        checked = []
        for piece in split_signatures(raw):
            coverage = _nothing(tree)
            result = verify_one(piece, subject_of_tree(tree, coverage), self.trust)
            if not result.verified:
                coverage.covered = 0
            checked.append((result, coverage))
        return checked


def _nothing(tree: Tree) -> Coverage:
    from adjudge.trust import nothing_covered

    return nothing_covered(tree)


def _best(signatures: _Signatures, tree: Tree) -> Coverage:
    """The coverage of the verified signature that covers most, else of what was tried."""
    verified = [c for r, c in signatures.results if r.verified]
    if verified:
        return max(verified, key=lambda c: (c.complete, c.covered))
    tried = [c for r, c in signatures.results if c.changed_files or c.missing_files]
    return tried[0] if tried else _nothing(tree)


def _exists(source: Source) -> bool:
    try:
        return source.type() == "file"
    except InputError:
        return False


def _summary(signatures: _Signatures) -> dict[str, Any]:
    """What policies ask first."""
    results = [r for r, _ in signatures.results]
    verified = [r for r in results if r.verified]
    authentic = [r for r in results if r.authentic]
    best = next(iter(verified + authentic + results), None)
    signers: list[dict[str, Any]] = []
    for result in verified:
        signer: dict[str, Any] = {"kind": result.kind}
        for key in ("identity", "issuer", "key_id"):
            if getattr(result, key) is not None:
                signer[key] = getattr(result, key)
        if signer not in signers:
            signers.append(signer)
    facts: dict[str, Any] = {
        "verified": bool(verified),
        "authentic": bool(authentic),
        "reason_code": best.reason_code if best else "no_signature",
        "reason": best.reason if best else "no signature was found",
        "signatures": signatures.facts,
        "signers": signers,
        "logged": any(r.log is not None and r.log["verified"] for r in verified),
        "predicate_types": sorted({r.predicate_type for r in verified if r.predicate_type}),
    }
    times = [r.signed_at for r in verified if r.signed_at is not None]
    if times:
        facts["signed_at"] = max(times)
    return facts
