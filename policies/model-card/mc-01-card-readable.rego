# METADATA
# scope: package
# title: A model card is there and can be read
# description: >-
#   A release says what its model is in a model card with a front matter that machines read. What
#   is malformed in the card (a date that is none, a metric without a number) would be missed by
#   other rules, so it is a finding of its own.
# custom:
#   id: MC-01
#   severity: high
#   controls: [eu-ai-act/11.1, iso-42001/a.6.2.7, nist-ai-600-1/ms-2.9-002]
#   remediation: >-
#     Add a model card (README.md or model_card.md with YAML front matter between two lines of ---)
#     to the release and list it in release.yaml; correct the fields that are named.
package adjudge.model_card.mc_01

applicable if input.facts

applicable if input.release.manifest

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": "/release/artifacts"} if {
	count(input.model_cards) == 0
	some artifact in input.artifacts
	artifact.kind in ["weights", "prompt_bundle"]
	msg := $"{input.release.manifest} lists {artifact.path} and no model card"
}

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": "/document"} if {
	input.facts.format == "markdown"
	not input.facts.front_matter
	msg := $"{input.path} has no front matter: machines cannot read its licence, metrics and dates"
}

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": problem.pointer} if {
	some problem in input.problems
	problem.severity == "error"
	msg := $"{input.path}: {problem.message}"
}
