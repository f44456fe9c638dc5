"""The documents of a release in; what they say about each other put into them.

Statements are joined with the artifacts they are about by digest, never by name.  Scanners'
findings and the SBOMs' own are joined with VEX statements by id, alias and package.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from adjudge.documents import attestation
from adjudge.documents.model import Document

_STATEMENTS: Final = (attestation.KIND, attestation.APPROVAL_KIND)
_SIGNED: Final = "signed_artifact"

Facts = dict[str, Any]


def join(documents: Iterable[Document]) -> None:
    """Give each artifact its ``signatures``, ``signers``, ``assurance`` and ``attestations``, and
    each statement the ``artifacts`` it is about."""
    documents = list(documents)
    _attach_signatures(documents)
    paths = _paths_by_digest(documents)
    about: dict[str, list[Facts]] = {}
    for document in documents:
        for stated in _statements(document):
            found = sorted({p for s in stated["subjects"] for p in paths.get(_sha256(s), ())})
            stated["artifacts"] = [path for path in found if path != document.path]
            for path in stated["artifacts"]:
                about.setdefault(path, []).append(stated)
    for document in documents:
        seen = document.as_input()
        seen["attestations"] = about.get(document.path, [])
        seen["assurance"], seen["signers"] = _assurance(document)


def _attach_signatures(documents: Sequence[Document]) -> None:
    signed = {d.path: d for d in documents if d.kind == _SIGNED}
    for document in documents:
        found = signed.get(document.path)
        if found is not None and document.kind != _SIGNED:
            document.as_input()["signatures"].extend(found.facts["signatures"])


def _statements(document: Document) -> list[Facts]:
    """What a document states about artifacts by their digests."""
    if document.kind in _STATEMENTS:
        statements: list[Facts] = document.facts["statements"]
        return statements
    return [document.facts] if "subjects" in document.facts else []


def _paths_by_digest(documents: Sequence[Document]) -> dict[str, set[str]]:
    """The paths of artifacts by SHA-256: their own, and of the files in them."""
    paths: dict[str, set[str]] = {}
    for document in documents:
        if document.kind in _STATEMENTS:
            continue
        for digest in [document.digest, *(f["sha256"] for f in document.files)]:
            paths.setdefault(digest, set()).add(document.path)
    return paths


def _sha256(subject: Facts) -> str:
    return str(subject["digest"].get("sha256", "")).lower()


def _assurance(document: Document) -> tuple[str, list[Facts]]:
    """Whether a trusted signer vouches for an artifact, and who."""
    facts = document.facts
    if document.kind == _SIGNED:
        return _graded(facts["verified"]), facts["signers"]
    if document.kind in _STATEMENTS:
        signers = [s["signer"] for s in facts["statements"] if "signer" in s]
        return facts["assurance"], _distinct(signers)
    verified = [s for s in document.as_input()["signatures"] if s["verified"]]
    signers = [
        {k: s[k] for k in ("kind", "identity", "issuer", "key_id", "key_name") if k in s}
        for s in verified
    ]
    if "signer" in facts:  # a statement that is itself signed
        signers.append(facts["signer"])
    return _graded(bool(signers)), _distinct(signers)


def _graded(signed: bool) -> str:
    return attestation.SIGNED if signed else attestation.SELF_DECLARED


def _distinct(signers: Iterable[Facts]) -> list[Facts]:
    found: list[Facts] = []
    for signer in signers:
        if signer not in found:
            found.append(signer)
    return found
