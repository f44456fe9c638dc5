# METADATA
# scope: package
# title: The model's name and version are stated and agree
# description: >-
#   The card names the model and its version, and the manifest and the SBOM mean the same version
#   by the same name. Documents that disagree are about different things.
# custom:
#   id: MC-02
#   severity: high
#   controls: [eu-ai-act/annex-iv.1.a, iso-42001/a.6.2.3]
#   remediation: >-
#     State name and version (such as 1.4.2, quoted) in the front matter of the card, and make
#     release.yaml and the SBOM name the same version.
package adjudge.model_card.mc_02

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": "/facts/name"} if {
	input.facts
	not input.facts.name
	msg := $"{input.path} does not name the model"
}

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": "/facts/version"} if {
	input.facts
	not input.facts.version
	msg := $"{input.path} does not state the version of the model"
}

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": "/facts/version"} if {
	version := input.facts.version
	not semver.is_valid(version)
	msg := $"{input.path} states the version {version}, expected a semantic version such as 1.4.2"
}

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": pointer} if {
	some i, card in input.artifacts
	card.kind == "model_card"
	short_name(card.facts.name) == short_name(input.release.name)
	card.facts.version != input.release.version # adjudge:ignore fails_open: a manifest without a version is refused
	pointer := $"/artifacts/{i}/facts/version"
	msg := $"{card.path} is about version {card.facts.version}, {input.release.manifest} releases {input.release.version}"
}

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": pointer} if {
	some card in input.model_cards
	some i, sbom in input.artifacts
	sbom.kind == "sbom"
	some m, model in sbom.facts.models
	short_name(model.name) == short_name(card.facts.name)
	model.version != card.facts.version # adjudge:ignore fails_open: without a version it does not disagree
	pointer := $"/artifacts/{i}/facts/models/{m}/version"
	msg := $"{sbom.path} lists {model.name} {model.version}, {card.path} is about version {card.facts.version}"
}

# The name without the organisation before it, in lower case.
short_name(name) := lower(regex.replace(name, `^.*/`, ""))
