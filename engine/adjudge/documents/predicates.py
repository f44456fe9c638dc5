"""The predicate of an in-toto statement in, its facts out.

SLSA provenance v0.2 and v1, SLSA Verification Summary v1, Simple Verification Result v0.1 and
v0.2, Test Result v0.1, OpenVEX, vulnerability scans, and approvals.  Nothing here raises:
what a predicate does not say is absent.  The signature is judged elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from adjudge.documents.sbom.values import items, mapping, objects, present, text, texts
from adjudge.documents.vex_statements import openvex

APPROVAL: Final = "urn:adjudge:approval:v1"
"""An approval: ``{decision: approved|rejected, role, approver?, comment?, expires?}``."""

_MAX_ITEMS: Final = 1000

Facts = dict[str, Any]


def type_of(predicate_type: str) -> str:
    """What kind of statement it is: a key of :data:`READERS`, or one of a few names, or other."""
    if predicate_type in _TYPES:
        return _TYPES[predicate_type]
    return next((t for start, t in _STARTS if predicate_type.startswith(start)), "other")


def facts_of(predicate_type: str, predicate: Any) -> Facts:
    """The facts of a predicate under the name of its type; empty for types without facts."""
    kind = type_of(predicate_type)
    reader = READERS.get(kind)
    if reader is None or not isinstance(predicate, dict):
        return {}
    return {kind: reader(predicate)}


# --- provenance -------------------------------------------------------------------------------


def _provenance(predicate: Facts) -> Facts:
    return (
        _provenance_v1(predicate) if "buildDefinition" in predicate else _provenance_v02(predicate)
    )


def _provenance_v1(predicate: Facts) -> Facts:
    definition, run = mapping(predicate, "buildDefinition"), mapping(predicate, "runDetails")
    parameters = mapping(definition, "externalParameters")
    workflow, metadata = mapping(parameters, "workflow"), mapping(run, "metadata")
    dependencies = [_resource(d) for _, d in objects(definition, "resolvedDependencies")]
    source = text(workflow, "repository") or _source_parameter(parameters)
    first = dependencies[0] if dependencies else {}
    uri, ref = _split_ref(source or first.get("uri"))
    commit = first.get("digest", {})
    return present(
        builder_id=text(mapping(run, "builder"), "id"),
        build_type=text(definition, "buildType"),
        source_uri=uri,
        source_ref=text(workflow, "ref") or ref or _split_ref(first.get("uri"))[1],
        source_digest=commit.get("gitCommit") or commit.get("sha1"),
        workflow=text(workflow, "path"),
        invocation_id=text(metadata, "invocationId"),
        started=text(metadata, "startedOn"),
        finished=text(metadata, "finishedOn"),
        complete=None,
    ) | {"version": "1", "dependencies": dependencies[:_MAX_ITEMS]}


def _source_parameter(parameters: Facts) -> str | None:
    """The source as the builders of GitHub and Google name it."""
    for key in ("source", "sourceToBuild", "repository"):
        value = parameters.get(key)
        found = value if isinstance(value, str) else text(value, "uri") or text(value, "repository")
        if found:
            return found
    return None


def _provenance_v02(predicate: Facts) -> Facts:
    invocation, metadata = mapping(predicate, "invocation"), mapping(predicate, "metadata")
    config = mapping(invocation, "configSource")
    uri, ref = _split_ref(text(config, "uri"))
    commit = mapping(config, "digest")
    whole = mapping(metadata, "completeness").get("materials")
    return present(
        builder_id=text(mapping(predicate, "builder"), "id"),
        build_type=text(predicate, "buildType"),
        source_uri=uri,
        source_ref=ref,
        source_digest=text(commit, "gitCommit") or text(commit, "sha1"),
        workflow=text(config, "entryPoint"),
        invocation_id=text(metadata, "buildInvocationId") or text(metadata, "buildInvocationID"),
        started=text(metadata, "buildStartedOn"),
        finished=text(metadata, "buildFinishedOn"),
        complete=whole if isinstance(whole, bool) else None,
    ) | {
        "version": "0.2",
        "dependencies": [_resource(m) for _, m in objects(predicate, "materials")][:_MAX_ITEMS],
    }


def _split_ref(uri: str | None) -> tuple[str | None, str | None]:
    """``git+https://host/repo@refs/heads/main`` as the repository's URI and the ref."""
    if uri is None:
        return None, None
    plain = uri.removeprefix("git+")
    base, at, ref = plain.rpartition("@")
    if at and ref.startswith("refs/"):
        return base.removesuffix(".git"), ref
    return plain.removesuffix(".git"), None


def _resource(item: Facts) -> Facts:
    """A resource descriptor: where something is and which bytes it has."""
    digest = mapping(item, "digest")
    return present(uri=text(item, "uri"), name=text(item, "name")) | {
        "digest": {k: v for k, v in digest.items() if isinstance(v, str)}
    }


# --- verification results ---------------------------------------------------------------------


def _summary(predicate: Facts) -> Facts:
    """SLSA Verification Summary 1.2."""
    policy = mapping(predicate, "policy")
    verifier = mapping(predicate, "verifier")
    levels = mapping(predicate, "dependencyLevels")
    return present(
        verifier_id=text(verifier, "id"),
        created=text(predicate, "timeVerified"),
        resource_uri=text(predicate, "resourceUri"),
        policy_uri=text(policy, "uri"),
        policy_digest=text(mapping(policy, "digest"), "sha256"),
        result=text(predicate, "verificationResult"),
        slsa_version=text(predicate, "slsaVersion"),
        stated_expiry=_expiry(predicate),
    ) | {
        "levels": texts(predicate, "verifiedLevels"),
        "dependency_levels": {
            k: v for k, v in levels.items() if isinstance(v, int) and not isinstance(v, bool)
        },
        "input_attestations": len(items(predicate, "inputAttestations")),
        "passed": text(predicate, "verificationResult") == "PASSED",
    }


def _simple_result(predicate: Facts) -> Facts:
    """Simple Verification Result; every property named has passed."""
    policies = [_resource(p) for _, p in objects(predicate, "policies")]
    return present(
        verifier_id=text(mapping(predicate, "verifier"), "id"),
        created=text(predicate, "timeCreated"),
        stated_expiry=_expiry(predicate),
    ) | {"properties": texts(predicate, "properties"), "policies": policies[:_MAX_ITEMS]}


def _expiry(predicate: Facts) -> str | None:
    """When it says that it ends.  Neither predicate has such a field; verifiers add one."""
    names = ("expires", "expiresAt", "expiresOn", "timeExpires", "validUntil")
    return next((found for name in names if (found := text(predicate, name))), None)


def _test_result(predicate: Facts) -> Facts:
    return present(result=text(predicate, "result"), url=text(predicate, "url")) | {
        "passed": texts(predicate, "passedTests")[:_MAX_ITEMS],
        "warned": texts(predicate, "warnedTests")[:_MAX_ITEMS],
        "failed": texts(predicate, "failedTests")[:_MAX_ITEMS],
        "configuration": [_resource(c) for _, c in objects(predicate, "configuration")][
            :_MAX_ITEMS
        ],
    }


def _approval(predicate: Facts) -> Facts:
    decision = text(predicate, "decision")
    return present(
        decision=decision,
        role=text(predicate, "role"),
        approver=text(predicate, "approver"),
        comment=text(predicate, "comment"),
        created=text(predicate, "time"),
        stated_expiry=_expiry(predicate),
    ) | {"approved": decision == "approved"}


_TYPES: Final[Mapping[str, str]] = {
    APPROVAL: "approval",
    "https://openvex.dev/ns": "vex",
    "https://model_signing/signature/v1.0": "model_signature",
    "https://model_signing/Digests/v0.1": "model_signature",
    "https://cyclonedx.org/bom": "sbom",
    "https://spdx.dev/Document": "sbom",
}
_STARTS: Final = (
    ("https://slsa.dev/provenance/", "provenance"),
    ("https://slsa.dev/verification_summary/", "summary"),
    ("https://in-toto.io/attestation/svr/", "simple_result"),
    ("https://in-toto.io/attestation/test-result/", "test_result"),
    ("https://in-toto.io/attestation/vulns/", "vulnerabilities"),
    ("https://cosign.sigstore.dev/attestation/vuln/", "vulnerabilities"),
    ("https://openvex.dev/ns/", "vex"),
    ("https://cyclonedx.org/bom/", "sbom"),
    ("https://spdx.dev/Document/", "sbom"),
    ("https://in-toto.io/attestation/link/", "link"),
)
READERS: Final[Mapping[str, Callable[[Facts], Facts]]] = {
    "provenance": _provenance,
    "summary": _summary,
    "simple_result": _simple_result,
    "test_result": _test_result,
    "approval": _approval,
    "vex": openvex,
}
TYPES: Final = (*READERS, "vulnerabilities", "model_signature", "sbom", "link", "other")
"""Every type that :func:`type_of` gives."""
