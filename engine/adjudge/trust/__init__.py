"""Signatures, certificates and timestamps: bytes and trust settings in, verified facts out."""

from __future__ import annotations

from adjudge.trust.artifact import Artifact
from adjudge.trust.attested import Attested, read_attested
from adjudge.trust.facts import Verification
from adjudge.trust.hashing import hash_stream
from adjudge.trust.model_signature import Coverage, Tree, nothing_covered
from adjudge.trust.parsing import MAX_SIGNATURE_BYTES
from adjudge.trust.reasons import REASONS, Refused
from adjudge.trust.settings import SignerIdentity, Trust, TrustSettings, parse_trust_settings
from adjudge.trust.verify import (
    split_signatures,
    subject_of_tree,
    verify_file,
    verify_one,
)

__all__ = [
    "MAX_SIGNATURE_BYTES",
    "REASONS",
    "Artifact",
    "Attested",
    "Coverage",
    "Refused",
    "SignerIdentity",
    "Tree",
    "Trust",
    "TrustSettings",
    "Verification",
    "hash_stream",
    "nothing_covered",
    "parse_trust_settings",
    "read_attested",
    "split_signatures",
    "subject_of_tree",
    "verify_file",
    "verify_one",
]
