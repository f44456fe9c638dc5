"""What a folder holds when nobody says so: files in; candidates with reasons, and the rest, out.

Names decide where they are unmistakable, the first bytes of a file where they are not.
Nothing is parsed here: a candidate may still turn out to be malformed when it is loaded.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from adjudge.documents.attestation import statement_of
from adjudge.documents.generic import format_of
from adjudge.documents.model import DEFAULT_LIMITS, Limits
from adjudge.documents.model_card_text import read_sections
from adjudge.documents.model_card_topics import topics_of
from adjudge.documents.prompt_bundle_files import CONFIG_NAMES, VERSION_DIRECTORY
from adjudge.documents.reading import Skipped, Source
from adjudge.documents.signed_artifact import SIGNATURE_SUFFIXES, artifact_of
from adjudge.errors import InputError

_PEEK: Final = 256 * 1024
"""Bytes at the start of a file that are looked at."""

_IGNORED: Final = {
    **dict.fromkeys((".git", ".hg", ".svn"), "version control"),
    **dict.fromkeys((".venv", "venv", "site-packages"), "installed packages"),
    "node_modules": "installed packages",
    **dict.fromkeys(
        ("__pycache__", ".tox", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".cache"),
        "a cache",
    ),
}
WEIGHT_SUFFIXES: Final = (
    ".safetensors",
    ".gguf",
    ".ggml",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".pkl",
    ".pickle",
    ".joblib",
    ".npz",
    ".onnx",
    ".h5",
    ".hdf5",
    ".keras",
    ".tflite",
    ".msgpack",
    ".nemo",
    ".mar",
)
_NOT_FILES: Final = {"": "nothing stands there", "directory": "a directory"}
_NO_KIND: Final = "no known kind"
_MODEL_FILES: Final = frozenset({"config.json", "tokenizer_config.json", "tokenizer.json"})


class Candidate(NamedTuple):
    """A document that seems to be there: its kind, where it is, and what gave it away."""

    kind: str
    source: Source
    reason: str

    @property
    def path(self) -> str:
        """Where it is, as shown to people."""
        return self.source.shown


@dataclass
class Detection:
    """The candidates by path, and everything that was looked at and is none."""

    candidates: list[Candidate] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    truncated: bool = False


def detect(
    root: Path, files: Iterable[str] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Detection:
    """Find the documents below ``root``, or among ``files`` (relative names) only.

    Raises InputError when ``root`` is not a directory that can be listed.
    """
    found = Detection()
    if files is None:
        walk = Source(root, ".").walk(limits, _IGNORED.get)
        found.skipped.extend(walk.skipped)
        found.truncated = walk.truncated
        sources = []
        for entry in walk.entries:
            if entry.type == "other":
                found.skipped.append(Skipped(entry.source.shown, "not a regular file"))
            else:
                sources.append(entry.source)
    else:
        sources = [Source(root, name) for name in sorted(set(files))]
    _Search(found, sources).run()
    order = sorted(range(len(found.candidates)), key=lambda i: _order(found.candidates[i]))
    found.candidates = [found.candidates[i] for i in order]
    found.skipped.sort(key=lambda s: s.path)
    return found


def kind_of_file(source: Source) -> Candidate | None:
    """The kind of one file or directory somebody named; None when it is of no known kind.

    Raises InputError when it cannot be read.
    """
    if source.type() == "directory":
        if any(source.child(name).type() == "file" for name in ("model.sig", "model.sigstore")):
            return Candidate("signed_artifact", source, "a directory with a model signature")
        if any(source.child(name).type() == "file" for name in CONFIG_NAMES[:2]):
            return Candidate("prompt_bundle", source, "a directory with a prompt configuration")
        return None
    candidate = _by_name(source) or _by_content(source)
    if candidate is None and format_of(source.name):
        return Candidate("generic", source, f"a {format_of(source.name)} file")
    return candidate


def _order(candidate: Candidate) -> tuple[str, str]:
    return candidate.path, candidate.kind


class _Search:
    """One search: first what claims whole directories, then file by file."""

    def __init__(self, found: Detection, sources: list[Source]) -> None:
        self.found = found
        self.sources = sources
        self.claimed: set[str] = set()

    def run(self) -> None:
        """Sort every source into candidates and skipped."""
        self._bundles()
        self._weight_directories()
        seen: set[tuple[str, str]] = {(c.kind, c.path) for c in self.found.candidates}
        for source in self.sources:
            if source.relative in self.claimed:
                continue
            candidate, reason = self._judge(source)
            if candidate is None:
                self.found.skipped.append(Skipped(source.shown, reason))
            elif (candidate.kind, candidate.path) not in seen:
                seen.add((candidate.kind, candidate.path))
                self.found.candidates.append(candidate)
        self._explain()

    def _explain(self) -> None:
        """Say of files without a kind which artifact they belong to."""
        paths = {c.path for c in self.found.candidates}
        self.found.skipped = [s for s in self.found.skipped if s.path not in paths]
        owners = [c.path for c in self.found.candidates if c.kind in ("signed_artifact", "weights")]
        directories = {"" if path == "." else path + "/": path for path in owners}
        for index, skipped in enumerate(self.found.skipped):
            if skipped.reason != _NO_KIND:
                continue
            owner = next((d for d in directories if skipped.path.startswith(d)), None)
            if owner is not None:
                reason = f"part of {directories[owner]}"
            elif "/.eval_results/" in "/" + skipped.path:
                reason = "read with the model card beside it"
            else:
                continue
            self.found.skipped[index] = Skipped(skipped.path, reason)

    def _judge(self, source: Source) -> tuple[Candidate | None, str]:
        try:
            kind = source.type()
            if kind != "file":
                return None, _NOT_FILES.get(kind or "", "not a regular file")
            candidate = _by_name(source) or _by_content(source)
        except InputError as error:
            return None, f"{error.code}: {error.message}"
        return candidate, _NO_KIND

    def _claim(self, directory: str) -> None:
        prefix = "" if directory == "." else directory + "/"
        self.claimed.update(
            s.relative
            for s in self.sources
            if s.relative.startswith(prefix) and not s.name.endswith(SIGNATURE_SUFFIXES)
        )

    def _bundles(self) -> None:
        names = {s.relative for s in self.sources}
        for source in self.sources:
            if source.name not in CONFIG_NAMES or source.relative in self.claimed:
                continue
            above = source.relative.rpartition("/")[0]
            reason = self._bundle_reason(source, above, names)
            if reason is None:
                continue
            if above and reason.startswith("a directory"):
                self._claim(above)
                target = Source(source.root, above)
            else:
                self.claimed.add(source.relative)
                target = source
            self.found.candidates.append(Candidate("prompt_bundle", target, reason))

    def _bundle_reason(self, source: Source, above: str, names: set[str]) -> str | None:
        parts = above.split("/")
        prefix = above + "/" if above else ""
        for name in ("system.txt", "system.md", "system_prompt.txt"):
            if prefix + name in names:
                return f"a directory with {source.name} and {name}"
        if len(parts) >= 3 and parts[-3] == "prompts" and VERSION_DIRECTORY.match(parts[-1]):
            return "a directory prompts/<name>/<version> with a configuration"
        if source.name != "config.json" and _PROMPT_KEYS.search(_peek_or_empty(source)):
            return "a configuration with a system prompt"
        return None

    def _weight_directories(self) -> None:
        """A directory with weights and the files models are loaded with is one artifact."""
        by_directory: dict[str, list[Source]] = {}
        for source in self.sources:
            if source.relative not in self.claimed:
                by_directory.setdefault(source.relative.rpartition("/")[0], []).append(source)
        for directory, sources in by_directory.items():
            weights = [s for s in sources if s.name.lower().endswith(WEIGHT_SUFFIXES)]
            others = [s for s in sources if s.name in _MODEL_FILES or s.name.endswith(".py")]
            if not weights or (len(weights) == 1 and not others):
                continue
            self.claimed.update(s.relative for s in weights)
            self.claimed.update(s.relative for s in others if s.name in _MODEL_FILES)
            target = Source(sources[0].root, directory or ".")
            reason = f"a directory with {len(weights)} weight file(s) and what loads them"
            if not others:
                reason = f"a directory with {len(weights)} weight files"
            self.found.candidates.append(Candidate("weights", target, reason))


# --- one file ---------------------------------------------------------------------------------

_CARD_NAME: Final = re.compile(r"model[_ -]?card[^/]*\.(?:md|markdown|mdx)\Z", re.I)
_PROMPT_KEYS: Final = re.compile(rb"(?m)^(?:system_prompt|messages)\s*:")
_SBOM_NAME: Final = re.compile(r"(?:\.cdx|\.spdx|(?:^|[._-])s?bom)\.json\Z", re.I)
_SBOM_MARK: Final = re.compile(
    rb'"bomFormat"\s*:\s*"CycloneDX"|"spdxVersion"\s*:|"@context"[^{}]{0,200}spdx\.org/rdf'
)
_TOOLKIT_MARK: Final = re.compile(rb'"model_details"\s*:\s*\{')
_TOOLKIT_PART: Final = re.compile(
    rb'"(?:schema_version|model_parameters|considerations|quantitative_analysis)"\s*:'
)


def _by_name(source: Source) -> Candidate | None:
    name = source.name.lower()
    if name.endswith(SIGNATURE_SUFFIXES):
        target = artifact_of(source)
        if target is None:
            return _attestation(source)
        return Candidate("signed_artifact", target, f"{source.shown} is a signature of it")
    if name.endswith(WEIGHT_SUFFIXES):
        return Candidate("weights", source, f"a file ending in {name[name.rfind('.') :]}")
    if _CARD_NAME.search(name):
        return Candidate("model_card", source, "named as a model card")
    if _SBOM_NAME.search(name):
        return Candidate("sbom", source, "named as an SBOM")
    return None


def _by_content(source: Source) -> Candidate | None:
    name = source.name.lower()
    if name.endswith((".md", ".markdown", ".mdx")):
        reason = _card_reason(_peek(source))
        return Candidate("model_card", source, reason) if reason else None
    if name.endswith(".jsonl"):
        return _attestation(source)
    if name.endswith((".json", ".jsonld")):
        start = _peek(source)
        found = _evidence(start)
        if found is not None:
            return Candidate(found[0], source, f"its content says {found[1]}")
        mark = _SBOM_MARK.search(start)
        if mark:
            what = "CycloneDX" if mark[0].startswith(b'"bom') else "SPDX"
            return Candidate("sbom", source, f"its content says {what}")
        if _TOOLKIT_MARK.search(start) and _TOOLKIT_PART.search(start):
            return Candidate("model_card", source, "it has the shape of a Model Card Toolkit card")
    if name.endswith((".yaml", ".yml")) and _PROMPT_KEYS.search(_peek(source)):
        return Candidate("prompt_bundle", source, "a configuration with a system prompt")
    return None


_STATEMENTS: Final = (
    ("evaluation", "a test result", re.compile(rb'"https://in-toto\.io/attestation/test-result/')),
    ("approval", "an approval", re.compile(rb'"urn:adjudge:approval:v1"')),
)
_EVIDENCE: Final = (
    (
        "dataset",
        "Croissant",
        re.compile(
            rb'conformsTo"\s*:[\s\[{]*(?:"@id"\s*:\s*)?"https?://mlcommons\.org/croissant/\d'
        ),
    ),
    ("vex_document", "OpenVEX", re.compile(rb'"@context"\s*:\s*"https://openvex\.dev/ns')),
    ("evaluation", "promptfoo results", re.compile(rb'\A\s*\{\s*"evalId"\s*:')),
    ("evaluation", "LM Evaluation Harness results", re.compile(rb'"lm_eval_version"|"n-shot"\s*:')),
    (
        "vulnerability_report",
        "a Trivy report",
        re.compile(rb'\A\s*\{\s*"SchemaVersion"\s*:\s*2\b'),
    ),
    ("vulnerability_report", "a Grype report", re.compile(rb'\A\s*\{\s*"matches"\s*:\s*\[')),
    (
        "vulnerability_report",
        "an OSV-Scanner report",
        re.compile(rb'\A\s*\{\s*"results"\s*:\s*\[\s*\{\s*"(?:source|packages)"\s*:'),
    ),
)


def _evidence(start: bytes) -> tuple[str, str] | None:
    """The kind of evidence in a JSON file, and what says so; statements in envelopes too."""
    if statement_of(start):
        looked_at = start + _payloads(start)
        kind = next((k for k, _, mark in _STATEMENTS if mark.search(looked_at)), "attestation")
        return kind, "an in-toto statement"
    return next(((k, what) for k, what, mark in _EVIDENCE if mark.search(start)), None)


_MODEL_SIGNATURE: Final = re.compile(rb'"https://model_signing/')
_PAYLOAD: Final = re.compile(rb'"payload"\s*:\s*"([A-Za-z0-9+/_=-]*)')


def _payloads(start: bytes) -> bytes:
    """The payload of the one envelope in the start of a file, as far as it is there."""
    found = _PAYLOAD.findall(start)
    if len(found) != 1:
        return b""
    text = found[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(text[: len(text) // 4 * 4])


def evidence_in(source: Source) -> str | None:
    """The kind of the statements in a signature file, when they say more than that something is
    signed; None also for what cannot be read."""
    try:
        start = _peek(source)
    except (InputError, OSError):
        return None
    if not statement_of(start) or _MODEL_SIGNATURE.search(start + _payloads(start)):
        return None
    found = _evidence(start)
    return found[0] if found else None


def _attestation(source: Source) -> Candidate | None:
    """A file of signed statements about something that is not beside it."""
    start = _peek(source)
    if not statement_of(start):
        return None
    found = _evidence(start) or ("attestation", "")
    return Candidate(found[0], source, "it holds in-toto statements")


def _peek(source: Source) -> bytes:
    with source.open() as file:
        return file.read(_PEEK)


def _peek_or_empty(source: Source) -> bytes:
    try:
        return _peek(source)
    except (InputError, OSError):
        return b""  # reported when the file itself is judged


_FRONT_KEYS: Final = re.compile(
    r"(?m)^(license|license_name|language|library_name|pipeline_tag|base_model|model-index"
    r"|datasets|metrics|co2_eq_emissions)\s*:"
)
_DATASET_KEYS: Final = re.compile(r"(?m)^(dataset_info|task_categories|size_categories)\s*:")
_FRONT: Final = re.compile(r"\A\ufeff?\s*---[ \t]*\r?\n(.*?)^---[ \t]*\r?$", re.M | re.S)
_TELLING: Final = frozenset(
    {
        "intended_use",
        "out_of_scope",
        "limitations",
        "risks",
        "training.data",
        "evaluation",
        "ethical",
    }
)


def _card_reason(start: bytes) -> str | None:
    """Why Markdown looks like a model card; None when it does not."""
    text = start.decode("utf-8", "replace")
    front = _FRONT.match(text)
    if front:
        if _DATASET_KEYS.search(front[1]):
            return None
        key = _FRONT_KEYS.search(front[1])
        if key:
            return f"front matter with {key[1]}"
    titles = [s.title for s in read_sections(text[front.end() if front else 0 :])]
    if any("model card" in t.lower() for t in titles):
        return "a heading says model card"
    topics = sorted({t for title in titles for t in topics_of(title)} & _TELLING)
    return f"sections on {' and '.join(topics[:3])}" if len(topics) >= 2 else None
