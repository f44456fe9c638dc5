"""Signatures, certificates and timestamps: bytes and trust settings in, verified facts out."""

from __future__ import annotations

from adjudge.trust.artifact import Artifact
from adjudge.trust.facts import Verification
from adjudge.trust.model_signature import Coverage, Tree, cover, nothing_covered
from adjudge.trust.reasons import REASONS, Refused
from adjudge.trust.settings import SignerIdentity, Trust, TrustSettings, parse_trust_settings
from adjudge.trust.verify import Subject, split_signatures, subject_of, verify_file, verify_one

__all__ = [
    "REASONS",
    "Artifact",
    "Coverage",
    "Refused",
    "SignerIdentity",
    "Subject",
    "Tree",
    "Trust",
    "TrustSettings",
    "Verification",
    "cover",
    "nothing_covered",
    "parse_trust_settings",
    "split_signatures",
    "subject_of",
    "verify_file",
    "verify_one",
]
