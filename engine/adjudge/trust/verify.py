"""One signature file in, a :class:`Verification` for each signature in it out.

Whatever the file holds, the outcome is facts.  Only the operator's own trust files can raise
(InputError).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from adjudge.errors import AdjudgeError
from adjudge.trust import bundle as parts
from adjudge.trust.artifact import Artifact
from adjudge.trust.certificates import (
    load_certificate,
    names_of,
    note_claims,
    note_proved,
    public_key_of,
    verify_chain,
)
from adjudge.trust.cosign import CosignBundle, is_cosign_bundle, read_cosign_bundle
from adjudge.trust.dsse import Envelope, read_envelope
from adjudge.trust.facts import Verification
from adjudge.trust.keys import PublicKey, algorithm_of, decode_signature, fits, keys_that_fit
from adjudge.trust.logbody import check_entry
from adjudge.trust.model_signature import Coverage, Tree, cover
from adjudge.trust.parsing import MAX_SIGNATURE_BYTES, parse_json
from adjudge.trust.reasons import Refused
from adjudge.trust.settings import Trust
from adjudge.trust.statement import Statement, read_statement

MAX_SIGNATURES = 200
"""Signatures looked at in one file of JSON lines; more are refused as a whole."""

Bind = Callable[[Statement], None]
"""Checks that a genuine statement is about the artifact; raises :class:`Refused` if not."""


@dataclass(frozen=True)
class Subject:
    """What a signature ought to be over: ``artifact`` for signatures over bytes (None for a
    directory), ``bind`` for statements."""

    artifact: Artifact | None
    bind: Bind


def subject_of(artifact: Artifact) -> Subject:
    """A single file as the subject: a statement must name its digest."""

    def bind(statement: Statement) -> None:
        if not any(s.fits(artifact) for s in statement.subjects):
            raise Refused("subject_mismatch")

    return Subject(artifact, bind)


def subject_of_tree(tree: Tree, coverage: Coverage) -> Subject:
    """A directory as the subject: a statement is compared with its files, and the outcome put
    into ``coverage``."""
    return Subject(None, lambda statement: cover(statement, tree, coverage))


def split_signatures(raw: bytes) -> list[bytes]:
    """The signatures in a file: the lines of a JSON Lines file, else the whole.

    A line that is empty is left out.
    """
    lines = [line for line in raw.splitlines() if line.strip()]
    several = len(lines) > 1 and all(
        line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines
    )
    return lines if several else [raw]


def verify_file(
    raw: bytes,
    artifact: Artifact,
    trust: Trust,
    certificate: bytes | None = None,
    timestamp: bytes | None = None,
) -> list[Verification]:
    """Every signature in ``raw`` (a bundle, envelope, JSON lines of them, or a plain signature)
    judged against one file; ``certificate`` and ``timestamp`` (RFC 3161 response, DER) belong to
    a plain signature."""
    subject = subject_of(artifact)
    pieces = split_signatures(raw)
    if len(pieces) > MAX_SIGNATURES:
        return [Verification().refuse(Refused("too_large", f"{len(pieces)} signatures"))]
    return [verify_one(piece, subject, trust, certificate, timestamp) for piece in pieces]


def verify_one(
    raw: bytes,
    subject: Subject,
    trust: Trust,
    certificate: bytes | None = None,
    timestamp: bytes | None = None,
) -> Verification:
    """One signature judged.

    Raises InputError only for trust files of the operator that cannot be used.
    """
    result = Verification()
    try:
        _Check(result, subject, trust, timestamp).run(raw, certificate)
    except Refused as refused:
        return result.refuse(refused)
    except AdjudgeError:
        raise
    except Exception as error:
        # Libraries that parse certificates and timestamps have more ways to fail than they
        # document.  None of them is a yes.
        return result.refuse(Refused("verification_failed", str(error)))
    return result.accept()


class _Check:
    """The steps of one verification; ``result`` is filled on the way."""

    def __init__(
        self, result: Verification, subject: Subject, trust: Trust, timestamp: bytes | None
    ) -> None:
        self.result = result
        self.subject = subject
        self.trust = trust
        self.timestamp = timestamp

    def run(self, raw: bytes, certificate: bytes | None) -> None:
        """Judge ``raw``; returns when the signature is verified, else raises Refused."""
        if len(raw) > MAX_SIGNATURE_BYTES:
            raise Refused("too_large", f"{len(raw)} bytes")
        if not raw.strip():
            raise Refused("malformed", "it is empty")
        if not _is_json(raw):
            self._plain(raw, certificate)
            return
        value = parse_json(raw)
        if parts.is_bundle(value):
            self.result.format = "sigstore_bundle"
            self._bundle(raw, value)
        elif isinstance(value, dict) and "payload" in value and "signatures" in value:
            self.result.format = "dsse"
            self._envelope_by_key(read_envelope(value))
        elif is_cosign_bundle(value):
            self.result.format = "cosign_bundle"
            self._cosign(read_cosign_bundle(value))
        else:
            raise Refused("unsupported_format", "this JSON is no bundle and no envelope")

    # --- plain signatures -------------------------------------------------------------------

    def _plain(self, raw: bytes, certificate: bytes | None) -> None:
        self.result.format = "raw"
        for mark, kind in _FOREIGN.items():
            if raw.startswith(mark):
                raise Refused("unsupported_format", kind)
        artifact = self._bytes()
        signature = decode_signature(raw)
        time = self._own_time([self.timestamp] if self.timestamp else [], signature)
        if certificate is not None:
            chain = _pem_chain(certificate)
            self._by_certificate(chain, signature, artifact)
            self._prove_certificate(chain, time, None)
        else:
            self._by_key([signature], artifact)
        self._judge_signer(time)

    def _cosign(self, bundle: CosignBundle) -> None:
        artifact, signature = self._bytes(), bundle.signature
        if bundle.certificate is None:
            key = self._by_key([signature], artifact)
            verifier = key.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            self._judge_signer(self._promised(bundle, artifact, verifier))
            return
        chain = _pem_chain(bundle.certificate)
        note_claims(self.result, chain[0])
        if self.result.claimed_issuer is not None:
            # It holds no proof that the certificate or the entry is in a log.
            raise Refused("unsupported_format", "make a Sigstore bundle with --new-bundle-format")
        self._by_certificate(chain, signature, artifact)
        time = self._promised(bundle, artifact, chain[0].public_bytes(Encoding.DER))
        self._prove_certificate(chain, time, None)
        self._judge_signer(time)

    def _promised(
        self, bundle: CosignBundle, artifact: Artifact, verifier: bytes
    ) -> datetime | None:
        """The time in the log's promise; None when there is none by a known log."""
        own = self._own_time([self.timestamp] if self.timestamp else [], bundle.signature)
        if bundle.promise is None:
            return own
        # See _bundle_keyless.
        from adjudge.trust import keyless

        root, entry = self.trust.trusted_root, bundle.promise.entry
        self.result.log = entry.as_facts(verified=False)
        self.result.trusted_root_digest = keyless.root_digest(root)
        found = keyless.verify_promise(bundle.promise, root)
        if found is None:
            return own
        check_entry(entry, bundle.signature, artifact, None, verifier)
        self.result.at(found.time, found.source)
        return found.time

    def _bytes(self) -> Artifact:
        """The single file that a signature without a statement must be over."""
        if self.subject.artifact is None:
            raise Refused("unsupported_format", "only a signed statement is about this")
        return self.subject.artifact

    def _own_time(self, timestamps: Sequence[bytes], signature: bytes) -> datetime | None:
        """The earliest time that the organisation's own authorities give the signature."""
        authorities = self.trust.timestamp_authorities
        if not timestamps or not authorities:
            return None
        # An extension module that signatures without timestamps do not need.
        from adjudge.trust.timestamps import time_of

        found = [t for der in timestamps if (t := time_of(der, signature, authorities))]
        if not found:
            return None
        self.result.at(min(found), "timestamp_authority")
        return min(found)

    # --- envelopes and bundles --------------------------------------------------------------

    def _envelope_by_key(self, envelope: Envelope) -> None:
        self._by_key(envelope.signatures, envelope.signed())
        self._bind_envelope(envelope)
        self.result.authentic = True
        self._judge_signer(None)

    def _bundle(self, raw: bytes, value: Any) -> None:
        bundle = parts.read_bundle(value)
        if bundle.entries:
            self.result.log = bundle.entries[0].as_facts(verified=False)
        if bundle.by_key:
            self._bundle_by_key(bundle)
            return
        chain = [load_certificate(der) for der in bundle.certificates]
        note_claims(self.result, chain[0])
        if self.result.claimed_issuer is None:
            self._bundle_by_certificate(bundle, chain)
        else:
            self._bundle_keyless(raw, bundle, chain[0])

    def _bundle_keyless(self, raw: bytes, bundle: parts.Bundle, leaf: x509.Certificate) -> None:
        # Loading sigstore takes 0.4 s: only runs that meet a keyless bundle pay it.
        from adjudge.trust import keyless

        self.result.kind = "sigstore"
        root = self.trust.trusted_root
        self.result.trusted_root_digest = keyless.root_digest(root)
        signed = keyless.verify_bundle(raw, bundle, self.subject.artifact, root)
        self.result.log = bundle.entries[0].as_facts(verified=True)
        self.result.at(signed.time, signed.source)
        if bundle.envelope is not None:
            self._bind_envelope(bundle.envelope)
        note_proved(self.result, leaf)
        self._judge_identity(signed.time)

    def _bundle_by_key(self, bundle: parts.Bundle) -> None:
        signed = self._signed(bundle)
        try:
            key = self._by_key(bundle.signatures(), signed)
        except Refused as refused:
            signed = self._signed_in_old_form(bundle, refused)
            key = self._by_key(bundle.signatures(), signed)
        spki = key.key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        time = self._log_and_time(bundle, signed, spki)
        if bundle.envelope is not None:
            self._bind_envelope(bundle.envelope)
        self.result.authentic = True
        self._judge_signer(time)

    def _bundle_by_certificate(self, bundle: parts.Bundle, chain: list[x509.Certificate]) -> None:
        signed = self._signed(bundle)
        try:
            self._by_certificate(chain, bundle.signatures()[0], signed)
        except Refused as refused:
            signed = self._signed_in_old_form(bundle, refused)
            self._by_certificate(chain, bundle.signatures()[0], signed)
        time = self._log_and_time(bundle, signed, chain[0].public_bytes(Encoding.DER))
        self._prove_certificate(chain, time, bundle.envelope)
        self._judge_signer(time)

    def _signed(self, bundle: parts.Bundle) -> Artifact:
        """What the bundle's signature must be over."""
        if bundle.envelope is not None:
            return bundle.envelope.signed()
        artifact = self.subject.artifact
        if artifact is None:
            raise Refused("artifact_mismatch", "it is over a single file")
        if bundle.digest is not None and artifact.digest(bundle.digest[0]) != bundle.digest[1]:
            raise Refused("artifact_mismatch")
        return artifact

    def _signed_in_old_form(self, bundle: parts.Bundle, refused: Refused) -> Artifact:
        """What an older tool would have signed, when the signature did not fit; else raises
        ``refused``."""
        older = None if bundle.envelope is None else bundle.envelope.signed_in_old_form()
        if older is None or refused.code not in ("key_not_trusted", "signature_invalid"):
            raise refused
        return older

    def _bind_envelope(self, envelope: Envelope) -> None:
        """Read the signed statement and check that it is about the subject."""
        result = self.result
        result.payload_type = envelope.payload_type
        statement = read_statement(envelope.payload_type, envelope.payload)
        result.statement_type, result.predicate_type = statement.type, statement.predicate_type
        result.subjects = [{"name": s.name, "digest": dict(s.digest)} for s in statement.subjects]
        self.subject.bind(statement)
        result.predicate = statement.predicate

    # --- who signed -------------------------------------------------------------------------

    def _by_key(self, signatures: list[bytes] | tuple[bytes, ...], signed: Artifact) -> PublicKey:
        """Find the trusted keys that made any of the signatures; at least one must."""
        self.result.kind = "key"
        keys = self.trust.keys
        if not keys:
            raise Refused("no_trusted_key")
        found: dict[str, PublicKey] = {}
        for signature in signatures:
            for key in keys_that_fit(keys, signature, signed):
                found.setdefault(key.key_id, key)
        if not found:
            raise Refused("key_not_trusted", "or the signed bytes were changed")
        first = next(iter(found.values()))
        self.result.key_ids = sorted(found)
        self.result.key_id, self.result.key_name = first.key_id, first.name
        self.result.key_algorithm = first.algorithm
        wanted = self.trust.settings.threshold
        if len(found) < wanted:
            raise Refused("threshold_not_met", f"{len(found)} of {wanted}")
        return first

    def _by_certificate(
        self, chain: list[x509.Certificate], signature: bytes, signed: Artifact
    ) -> None:
        """Check the signature by the certificate's key, which proves nothing about who it is."""
        self.result.kind = "certificate"
        note_claims(self.result, chain[0])
        if not self.trust.certificate_roots:
            raise Refused("no_trusted_certificate_root")
        key = public_key_of(chain[0])
        self.result.key_algorithm = algorithm_of(key)
        if not fits(key, signature, signed):
            raise Refused("signature_invalid")

    def _prove_certificate(
        self, chain: list[x509.Certificate], time: datetime | None, envelope: Envelope | None
    ) -> None:
        """Check the chain at the time of signing; without a trusted one, at the time of
        judgement, so that an expired certificate does not count."""
        at = time or self.trust.now
        verify_chain(chain[0], chain[1:], self.trust.certificate_roots, at)
        if envelope is not None:
            self._bind_envelope(envelope)
        note_proved(self.result, chain[0])
        allowed = self.trust.settings.certificate_names
        names = {*names_of(chain[0]), chain[0].subject.rfc4514_string()}
        if allowed and not names & set(allowed):
            raise Refused("identity_not_allowed", self.result.identity or "")

    def _log_and_time(
        self, bundle: parts.Bundle, signed: Artifact, verifier: bytes
    ) -> datetime | None:
        """Verify log entries and timestamps of a bundle that needs neither.

        An entry of a log that is not known proves nothing and spoils nothing; one of a known
        log must hold.
        """
        if not bundle.entries and not bundle.timestamps:
            return None
        # See _bundle_keyless.
        from adjudge.trust import keyless

        root = self.trust.trusted_root
        self.result.trusted_root_digest = keyless.root_digest(root)
        signature = bundle.signatures()[0]
        own = self._own_time(bundle.timestamps, signature)
        payload = None if bundle.envelope is None else bundle.envelope.payload
        times = []
        for entry in bundle.entries:
            proof = keyless.verify_log_entry(entry, root)
            if proof is not None:
                check_entry(entry, signature, signed, payload, verifier)
                self.result.log = entry.as_facts(verified=True)
                times.append(proof.time)
        times.append(keyless.verify_timestamps(bundle.timestamps, signature, root))
        known = [(t.time, t.source) for t in times if t is not None]
        if own is not None:
            known.append((own, "timestamp_authority"))
        if not known:
            return None
        time, source = min(known)
        self.result.at(time, source)
        return time

    def _judge_identity(self, time: datetime) -> None:
        """A keyless signer must be one that the settings name."""
        result, rules = self.result, self.trust.settings.identities
        if not rules:
            raise Refused("no_identity_pinned", result.identity or "")
        named = [r for r in rules if any(r.allows(n, result.issuer) for n in result.identities)]
        if not named:
            shown = f"{result.identity} (issuer {result.issuer})"
            raise Refused("identity_not_allowed", shown)
        unlike = [r.unlike(result.extensions) for r in named]
        if None not in unlike:
            raise Refused("source_not_allowed", unlike[0] or "")
        self.trust.check_age(time)

    def _judge_signer(self, time: datetime | None) -> None:
        """A key or private authority is trusted by being configured; what is left is age."""
        self.result.authentic = True
        self.trust.check_age(time)


_FOREIGN = {
    b"-----BEGIN PGP": "an OpenPGP signature",
    b"-----BEGIN SSH": "an SSH signature",
    b"untrusted comment:": "a minisign signature",
    b"-----BEGIN PKCS7": "a PKCS #7 signature",
    b"-----BEGIN CMS": "a CMS signature",
}


def _is_json(raw: bytes) -> bool:
    """Whether ``raw`` is meant as JSON; a binary signature may begin with a brace too."""
    if not raw.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"{", b"[")):
        return False
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _pem_chain(data: bytes) -> list[x509.Certificate]:
    """The certificates in PEM, in base64 of PEM as cosign writes it, or one in DER."""
    decoded = decode_signature(data) if b"-----BEGIN" not in data else data
    if b"-----BEGIN" not in decoded:
        return [load_certificate(decoded)]
    try:
        return x509.load_pem_x509_certificates(decoded)
    except ValueError:
        raise Refused("certificate_invalid", "it is not in PEM form") from None
