# METADATA
# scope: package
# title: Weights have provenance from an approved builder
# description: >-
#   For each weights artifact there is signed SLSA provenance about its digest, by a builder whose level
#   in the trust settings is at least provenance.required_level, from a repository in provenance.sources
#   when that is given. Nothing is asked for while the level is 0.
# custom:
#   id: SG-04
#   severity: high
#   controls: [nist-ai-600-1/ms-2.7-001, owasp-llm-2025/llm03]
#   applies_to: release
#   remediation: Build on a system that signs provenance, list it under builders in the trust settings, and ship the attestation.
package adjudge.signatures.sg_04

import data.adjudge.settings

applicable if settings.provenance.required_level > 0

deny contains {"msg": msg} if {
	some artifact in input.weights
	count(proved(artifact)) == 0
	msg := $"{artifact.path} has no signed provenance of level {settings.provenance.required_level}"
}

deny contains {"msg": msg} if {
	count(settings.provenance.sources) > 0
	some artifact in input.weights
	count(proved(artifact)) > 0
	every stated in proved(artifact) {
		not object.get(stated, "source_uri", "") in settings.provenance.sources
	}
	msg := $"{artifact.path} was built from none of the expected repositories"
}

proved(artifact) := [statement.provenance |
	some statement in artifact.attestations
	statement.assurance == "signed"
	statement.provenance.level >= settings.provenance.required_level
]
