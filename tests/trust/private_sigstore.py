"""A private Sigstore in one process, for tests: certificate authority, certificate log,
transparency log and timestamp authority with fresh keys.  It signs bundles (v0.3) as the public
services do, and writes the trusted root that verifies them.  No network.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import struct
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from asn1crypto import cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

DER, PEM = ser.Encoding.DER, ser.Encoding.PEM
FULCIO = "1.3.6.1.4.1.57264.1."
IN_TOTO = "application/vnd.in-toto+json"
Key = ec.EllipticCurvePrivateKey
_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_ECDSA = ec.ECDSA(hashes.SHA256())


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def spki(key: Key) -> bytes:
    return key.public_key().public_bytes(DER, ser.PublicFormat.SubjectPublicKeyInfo)


def pem_of(key: Any) -> bytes:
    public: bytes = key.public_key().public_bytes(PEM, ser.PublicFormat.SubjectPublicKeyInfo)
    return public


def key_id(key: Key) -> bytes:
    return hashlib.sha256(spki(key)).digest()


def name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "testca"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def usage(*, sign: bool = False, certify: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(sign, False, False, False, False, certify, certify, False, False)


def utf8_string(text: str) -> bytes:
    return bytes(core.UTF8String(text).dump())


def ca_certificate(
    key: Key,
    common_name: str,
    start: dt.datetime,
    end: dt.datetime,
    issuer: x509.Certificate | None = None,
    issuer_key: Key | None = None,
    path_length: int = 0,
) -> x509.Certificate:
    by = issuer_key or key
    return (
        x509.CertificateBuilder()
        .subject_name(name(common_name))
        .issuer_name(issuer.subject if issuer else name(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage(certify=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
        .sign(by, hashes.SHA256())
    )


def leaf_certificate(
    key: Key,
    issuer: x509.Certificate,
    issuer_key: Key,
    start: dt.datetime,
    end: dt.datetime,
    *,
    san: x509.GeneralName | None = None,
    subject: x509.Name | None = None,
    purpose: ObjectIdentifier = ExtendedKeyUsageOID.CODE_SIGNING,
    more: tuple[x509.ExtensionType, ...] = (),
    serial: int | None = None,
) -> x509.CertificateBuilder:
    """An unsigned builder: Fulcio adds a log's promise between building and signing."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject or x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(usage(sign=True), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([purpose]),
            critical=purpose == ExtendedKeyUsageOID.TIME_STAMPING,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False
        )
    )
    if san is not None:
        builder = builder.add_extension(x509.SubjectAlternativeName([san]), critical=True)
    for extension in more:
        builder = builder.add_extension(extension, critical=False)
    return builder


def _leaf_hash(body: bytes) -> bytes:
    return hashlib.sha256(b"\0" + body).digest()


def _node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _tree_head(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, over leaf hashes."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return _node_hash(_tree_head(leaves[:split]), _tree_head(leaves[split:]))


def _inclusion_path(index: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < split:
        return [*_inclusion_path(index, leaves[:split]), _tree_head(leaves[split:])]
    return [*_inclusion_path(index - split, leaves[split:]), _tree_head(leaves[:split])]


@dataclass
class PrivateSigstore:
    """All services; ``now`` is the time at which everything happens unless said otherwise."""

    now: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC).replace(microsecond=0))
    origin: str = "rekor.test.local"

    def __post_init__(self) -> None:
        self.root_key, self.intermediate_key = new_key(), new_key()
        self.ct_key, self.rekor_key = new_key(), new_key()
        self.tsa_root_key, self.tsa_key = new_key(), new_key()
        start, end = self.now - dt.timedelta(days=30), self.now + dt.timedelta(days=3650)
        self.start, self.end = start, end
        self.root = ca_certificate(self.root_key, "fulcio-root", start, end, path_length=1)
        self.intermediate = ca_certificate(
            self.intermediate_key, "fulcio-int", start, end, self.root, self.root_key
        )
        self.tsa_root = ca_certificate(self.tsa_root_key, "tsa-root", start, end)
        self.tsa = leaf_certificate(
            self.tsa_key,
            self.tsa_root,
            self.tsa_root_key,
            start,
            end,
            subject=name("tsa"),
            purpose=ExtendedKeyUsageOID.TIME_STAMPING,
            more=(x509.BasicConstraints(False, None),),
        ).sign(self.tsa_root_key, hashes.SHA256())
        self.leaves: list[bytes] = []

    # --- certificates -----------------------------------------------------------------------

    def issue(
        self,
        identity: str,
        issuer: str,
        *,
        at: dt.datetime | None = None,
        minutes: int = 10,
        extensions: dict[int, str] | None = None,
    ) -> tuple[Key, x509.Certificate]:
        """A key and a short-lived certificate for an identity, with the log's promise."""
        at = at or self.now
        key, serial = new_key(), x509.random_serial_number()
        email = "@" in identity and "://" not in identity
        san = x509.RFC822Name(identity) if email else x509.UniformResourceIdentifier(identity)
        facts: list[x509.ExtensionType] = [
            x509.UnrecognizedExtension(ObjectIdentifier(FULCIO + "1"), issuer.encode())
        ]
        for number, value in {8: issuer, **(extensions or {})}.items():
            oid = ObjectIdentifier(FULCIO + str(number))
            facts.append(x509.UnrecognizedExtension(oid, utf8_string(value)))

        def build(sct: bytes) -> x509.Certificate:
            entry = struct.pack("!H", len(sct)) + sct
            listed = core.OctetString(struct.pack("!H", len(entry)) + entry).dump()
            return leaf_certificate(
                key,
                self.intermediate,
                self.intermediate_key,
                at,
                at + dt.timedelta(minutes=minutes),
                san=san,
                more=(*facts, x509.UnrecognizedExtension(_SCT_LIST, listed)),
                serial=serial,
            ).sign(self.intermediate_key, hashes.SHA256())

        milliseconds = int(at.timestamp() * 1000)
        unpromised = build(self._promise(milliseconds, b"")).tbs_precertificate_bytes
        signed = (
            struct.pack("!BBQH", 0, 0, milliseconds, 1)
            + key_id(self.intermediate_key)
            + len(unpromised).to_bytes(3, "big")
            + unpromised
            + struct.pack("!H", 0)
        )
        return key, build(self._promise(milliseconds, signed))

    def _promise(self, milliseconds: int, signed: bytes) -> bytes:
        """A signed certificate timestamp (RFC 6962 section 3.2)."""
        signature = self.ct_key.sign(signed, _ECDSA)
        start = b"\0" + key_id(self.ct_key) + struct.pack("!QH", milliseconds, 0)
        return start + b"\x04\x03" + struct.pack("!H", len(signature)) + signature

    # --- transparency log -------------------------------------------------------------------

    def log(
        self, kind: str, body: dict[str, Any], *, promise: bool, at: dt.datetime | None = None
    ) -> dict[str, Any]:
        """Enter ``body`` into the log; ``promise`` adds the time of entry (Rekor v1)."""
        raw = json.dumps(body, separators=(",", ":")).encode()
        index = len(self.leaves)
        self.leaves.append(_leaf_hash(raw))
        size, head = len(self.leaves), _tree_head(self.leaves)
        note = f"{self.origin}\n{size}\n{b64(head)}\n"
        log_id = key_id(self.rekor_key)
        signature = self.rekor_key.sign(note.encode(), _ECDSA)
        signed_note = f"{note}\n\u2014 {self.origin} {b64(log_id[:4] + signature)}\n"
        entry: dict[str, Any] = {
            "logIndex": str(index),
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": kind, "version": body["apiVersion"]},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": b64(head),
                "treeSize": str(size),
                "hashes": [b64(h) for h in _inclusion_path(index, self.leaves)],
                "checkpoint": {"envelope": signed_note},
            },
            "canonicalizedBody": b64(raw),
        }
        if promise:
            time = int((at or self.now).timestamp())
            promised = rfc8785.dumps(
                {
                    "body": b64(raw),
                    "integratedTime": time,
                    "logID": log_id.hex(),
                    "logIndex": index,
                }
            )
            entry["integratedTime"] = str(time)
            set_signature = self.rekor_key.sign(promised, _ECDSA)
            entry["inclusionPromise"] = {"signedEntryTimestamp": b64(set_signature)}
        return entry

    # --- timestamps -------------------------------------------------------------------------

    def timestamp(self, message: bytes, at: dt.datetime | None = None) -> bytes:
        """A timestamp response over ``message`` (RFC 3161)."""
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": "1.2.3.4",
                "serial_number": x509.random_serial_number() >> 96,
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": hashlib.sha256(message).digest(),
                },
                "gen_time": at or self.now,
            }
        )
        der = self.tsa.public_bytes(DER)
        certificate = asn1_x509.Certificate.load(der)
        digest = hashlib.sha256(info.dump()).digest()
        by = {
            "hash_algorithm": {"algorithm": "sha256"},
            "cert_hash": hashlib.sha256(der).digest(),
        }
        attributes = cms.CMSAttributes(
            [
                cms.CMSAttribute({"type": "content_type", "values": ["tst_info"]}),
                cms.CMSAttribute({"type": "message_digest", "values": [digest]}),
                cms.CMSAttribute({"type": "signing_certificate_v2", "values": [{"certs": [by]}]}),
            ]
        )
        signer = {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                name="issuer_and_serial_number",
                value={
                    "issuer": certificate.issuer,
                    "serial_number": certificate.serial_number,
                },
            ),
            "digest_algorithm": {"algorithm": "sha256"},
            "signed_attrs": attributes,
            "signature_algorithm": {"algorithm": "sha256_ecdsa"},
            "signature": self.tsa_key.sign(attributes.dump(), _ECDSA),
        }
        content = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(info.dump()),
                },
                "certificates": [certificate],
                "signer_infos": [signer],
            }
        )
        response = tsp.TimeStampResp(
            {
                "status": {"status": "granted"},
                "time_stamp_token": {"content_type": "signed_data", "content": content},
            }
        )
        return bytes(response.dump())

    # --- bundles ----------------------------------------------------------------------------

    def sign_artifact(
        self,
        data: bytes,
        key: Key,
        certificate: x509.Certificate,
        *,
        rekor: int = 1,
        at: dt.datetime | None = None,
    ) -> dict[str, Any]:
        """A bundle with a signature over ``data``."""
        digest, signature = hashlib.sha256(data).digest(), key.sign(data, _ECDSA)
        if rekor == 1:
            body: dict[str, Any] = {
                "apiVersion": "0.0.1",
                "kind": "hashedrekord",
                "spec": {
                    "data": {"hash": {"algorithm": "sha256", "value": digest.hex()}},
                    "signature": {
                        "content": b64(signature),
                        "publicKey": {"content": b64(certificate.public_bytes(PEM))},
                    },
                },
            }
        else:
            body = self._body_v2(digest, signature, certificate)
        message = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
            "signature": b64(signature),
        }
        return self._bundle(
            certificate, "hashedrekord", body, signature, rekor, at, messageSignature=message
        )

    def sign_envelope(
        self,
        payload: bytes,
        key: Key,
        certificate: x509.Certificate,
        *,
        rekor: int = 1,
        at: dt.datetime | None = None,
        payload_type: str = IN_TOTO,
    ) -> dict[str, Any]:
        """A bundle with a DSSE envelope."""
        signed = pae(payload_type, payload)
        signature = key.sign(signed, _ECDSA)
        envelope = {
            "payload": b64(payload),
            "payloadType": payload_type,
            "signatures": [{"sig": b64(signature)}],
        }
        kind = "dsse"
        if rekor == 1:
            whole = hashlib.sha256(json.dumps(envelope).encode()).hexdigest()
            body: dict[str, Any] = {
                "apiVersion": "0.0.1",
                "kind": "dsse",
                "spec": {
                    "envelopeHash": {"algorithm": "sha256", "value": whole},
                    "payloadHash": {
                        "algorithm": "sha256",
                        "value": hashlib.sha256(payload).hexdigest(),
                    },
                    "signatures": [
                        {
                            "signature": b64(signature),
                            "verifier": b64(certificate.public_bytes(PEM)),
                        }
                    ],
                },
            }
        else:
            kind = "hashedrekord"
            body = self._body_v2(hashlib.sha256(signed).digest(), signature, certificate)
        return self._bundle(certificate, kind, body, signature, rekor, at, dsseEnvelope=envelope)

    def _body_v2(
        self, digest: bytes, signature: bytes, certificate: x509.Certificate
    ) -> dict[str, Any]:
        verifier = {
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "x509Certificate": {"rawBytes": b64(certificate.public_bytes(DER))},
        }
        record = {
            "data": {"algorithm": "SHA2_256", "digest": b64(digest)},
            "signature": {"content": b64(signature), "verifier": verifier},
        }
        return {
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {"hashedRekordV002": record},
        }

    def _bundle(
        self,
        certificate: x509.Certificate,
        kind: str,
        body: dict[str, Any],
        signature: bytes,
        rekor: int,
        at: dt.datetime | None,
        **content: Any,
    ) -> dict[str, Any]:
        material: dict[str, Any] = {
            "certificate": {"rawBytes": b64(certificate.public_bytes(DER))},
            "tlogEntries": [self.log(kind, body, promise=rekor == 1, at=at)],
        }
        if rekor != 1:
            response = {"signedTimestamp": b64(self.timestamp(signature, at))}
            material["timestampVerificationData"] = {"rfc3161Timestamps": [response]}
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": material,
            **content,
        }

    # --- trusted root -----------------------------------------------------------------------

    def trusted_root(self) -> dict[str, Any]:
        """What a verifier must trust."""
        valid = {"start": self.start.isoformat().replace("+00:00", "Z")}

        def log(url: str, key: Key) -> dict[str, Any]:
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {
                    "rawBytes": b64(spki(key)),
                    "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                    "validFor": dict(valid),
                },
                "logId": {"keyId": b64(key_id(key))},
            }

        def authority(common_name: str, *chain: x509.Certificate) -> dict[str, Any]:
            certificates = [{"rawBytes": b64(c.public_bytes(DER))} for c in chain]
            return {
                "subject": {"organization": "testca", "commonName": common_name},
                "uri": "https://ca.test.local",
                "certChain": {"certificates": certificates},
                "validFor": dict(valid),
            }

        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("https://rekor.test.local", self.rekor_key)],
            "ctlogs": [log("https://ct.test.local", self.ct_key)],
            # Leaf-most first, root last.
            "certificateAuthorities": [authority("fulcio", self.intermediate, self.root)],
            "timestampAuthorities": [authority("tsa", self.tsa, self.tsa_root)],
        }
