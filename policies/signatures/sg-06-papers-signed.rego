# METADATA
# scope: package
# title: SBOM and model card are signed too
# description: >-
#   What a release says about itself is signed like the release, so that nobody rewrites it afterwards.
#   Whether the signatures hold is the business of SG-01 and SG-02.
# custom:
#   id: SG-06
#   severity: medium
#   controls: [mitre-atlas/aml.m0013]
#   remediation: Sign the file in the same build, with the signature beside it (such as model_card.md.sig).
package adjudge.signatures.sg_06

applicable if {
	some artifact in input.artifacts
	artifact.kind in papers
}

deny contains {"msg": msg, "pointer": $"/artifacts/{i}/path"} if {
	some i, artifact in input.artifacts
	artifact.kind in papers
	not artifact.path in signed
	msg := $"{artifact.path} is not signed"
}

papers := ["model_card", "sbom"]

signed contains artifact.path if some artifact in input.signed_artifacts
