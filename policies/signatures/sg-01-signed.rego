# METADATA
# scope: package
# title: Artifacts are signed by somebody who is trusted
# description: >-
#   Every artifact of the kinds in setting signatures.required has a signature, and every signature in
#   the release is genuine and by a signer of the trust settings. Signers that only the release itself
#   names are worth a warning: whoever can change the release can change them.
# custom:
#   id: SG-01
#   severity: critical
#   controls: [eu-ai-act/15.5, mitre-atlas/aml.m0013, soc2/cc6.8]
#   remediation: >-
#     Sign the artifact in the build that makes it, and name the signer in the trust settings given with
#     --trust. The reason says what is wrong with a signature that is there.
package adjudge.signatures.sg_01

import data.adjudge.settings

# METADATA
# custom: {applies_to: signed_artifact}
deny contains {"msg": msg, "pointer": "/facts/signatures/0"} if {
	input.facts
	not input.facts.verified
	msg := $"{input.path}: {input.facts.reason} ({input.facts.reason_code})"
}

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": $"/release/artifacts/{n}"} if {
	some artifact in input.artifacts
	artifact.kind in settings.signatures.required
	not artifact.path in signed
	some n, entry in input.release.artifacts
	entry.path == artifact.path
	entry.kind == artifact.kind
	msg := $"{artifact.path} is not signed"
}

# METADATA
# custom: {applies_to: release}
warn contains {"msg": msg, "pointer": "/release/trust"} if {
	input.release.trust.source == "manifest"
	count(input.signed_artifacts) > 0
	msg := $"{input.release.manifest} itself says whom to trust; expected trust settings of the operator (--trust)"
}

signed contains artifact.path if some artifact in input.signed_artifacts
