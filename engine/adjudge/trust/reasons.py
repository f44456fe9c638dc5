"""The closed list of reasons why a signature counts or does not, and the internal refusal.

A verification ends in facts, never in an exception that reaches a caller: the functions of this
package raise :class:`Refused` among themselves, and the entry points turn it into the
``reason_code`` and ``reason`` of a :class:`adjudge.trust.facts.Verification`.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    "verified": "the signature is genuine and its signer is trusted",
    "no_signature": "no signature was found",
    "too_large": "the signature file is larger than any signature needs to be",
    "malformed": "the signature file cannot be read",
    "unsupported_format": "this form of signature is not supported",
    "unsupported_version": "the bundle states a version that is not supported",
    "artifact_mismatch": "the signature is over other bytes than these",
    "signature_invalid": "the signature does not fit the key and the signed bytes",
    "no_trusted_key": "the signature is by a key, and no trusted key is configured",
    "key_not_trusted": "none of the trusted keys made this signature",
    "no_trusted_certificate_root": "the signer's certificate belongs to no configured authority",
    "certificate_missing": "the signature needs a certificate and has none",
    "certificate_invalid": "the signer's certificate cannot be read or may not sign artifacts",
    "certificate_untrusted": "the signer's certificate does not lead to a trusted authority",
    "certificate_not_valid_at_signing": "the certificate was not valid when the signature was made",
    "certificate_log_proof_invalid": "the proof that the certificate was logged is not valid",
    "log_entry_missing": "the signature was not entered in a transparency log",
    "log_entry_invalid": "the proof of the transparency log entry is not valid",
    "log_entry_mismatch": "the transparency log entry is about another signature",
    "no_trusted_time": "no trusted clock says when the signature was made",
    "statement_invalid": "the signed statement cannot be read",
    "payload_type_unsupported": "the signed payload is not an in-toto statement",
    "subject_mismatch": "the signed statement is about other files than these",
    "files_changed": "files are missing or differ from what was signed",
    "serialization_unsupported": "the model was signed in a form that is not supported",
    "no_identity_pinned": "the signature is genuine, and no identity is configured as trusted",
    "identity_not_allowed": "the signature is genuine, and its signer is not a trusted one",
    "source_not_allowed": "the signature is genuine, and was made from another source",
    "threshold_not_met": "fewer trusted keys made this signature than are required",
    "too_old": "the signature is older than allowed",
    "signed_in_future": "the signature is from after the time of judgement",
    "verification_failed": "the signature could not be verified",
}
"""Every reason code with the sentence that explains it; ``verified`` is the only good one."""


class Refused(Exception):
    """A signature does not count: ``code`` is a key of :data:`REASONS`, ``reason`` a sentence.

    ``detail`` may come from a hostile file; what is unprintable or long in it is cut.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        self.code = code
        self.reason = f"{REASONS[code]}: {shorten(detail)}" if detail else REASONS[code]
        super().__init__(self.reason)


def shorten(text: str, length: int = 200) -> str:
    """``text`` on one line, printable, at most ``length`` characters: safe to show a person."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[: length - 1] + "…"
