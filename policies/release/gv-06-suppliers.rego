# METADATA
# scope: package
# title: Suppliers of models are reviewed
# description: >-
#   Whoever provides a model that the release uses - the provider of a prompt's model, the organisation
#   before the name of a base model - is listed as a supplier, and no supplier's review has run out.
# custom:
#   id: GV-06
#   severity: medium
#   controls: [nist-ai-600-1/gv-6.1-007, nist-ai-600-1/mg-3.1-005, iso-42001/a.10.3, soc2/cc9.2]
#   remediation: >-
#     Have the supplier reviewed and add it to suppliers in release.yaml with name, provides and
#     review_expires.
package adjudge.release.gv_06

applicable if input.release.manifest

deny contains {"msg": msg, "pointer": $"/artifacts/{a}/facts/model/id"} if {
	some a, bundle in input.artifacts
	bundle.kind == "prompt_bundle"
	id := bundle.facts.model.id
	provider := object.get(bundle.facts.model, "provider", "an unknown provider")
	not lower(provider) in known
	not lower(id) in known
	msg := $"{bundle.path} uses {id} of {provider}, which is not among the suppliers in {input.release.manifest}"
}

deny contains {"msg": msg, "pointer": $"/artifacts/{a}/facts/base_models/{b}"} if {
	some a, card in input.artifacts
	card.kind == "model_card"
	some b, base in card.facts.base_models
	organisation := split(base.name, "/")[0]
	not lower(organisation) in known
	not lower(base.name) in known
	msg := $"{card.path} is based on {base.name}, which is of none of the suppliers in {input.release.manifest}"
}

deny contains {"msg": msg, "pointer": $"/release/suppliers/{i}"} if {
	some i, supplier in input.release.suppliers
	not supplier.review_expires
	msg := $"{input.release.manifest} does not say until when the review of {label(supplier)} holds"
}

deny contains {"msg": msg, "pointer": $"/release/suppliers/{i}/review_expires"} if {
	some i, supplier in input.release.suppliers
	day := time.parse_ns("2006-01-02", substring(supplier.review_expires, 0, 10))
	time.now_ns() > day
	msg := $"the review of {label(supplier)} ended on {supplier.review_expires}"
}

known := {lower(supplier[key]) | some supplier in input.release.suppliers; some key in ["name", "provides"]}

label(supplier) := object.get(supplier, "name", "a supplier")
