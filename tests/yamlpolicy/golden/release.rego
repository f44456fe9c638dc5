# METADATA
# title: Risk tier is declared
# custom:
#   id: RK-01
#   applies_to: release
package adjudge.yaml.rk_01

deny contains finding if {
	object.get(input, ["release", "risk_tier"], null) == null
	finding := {"msg": $"{input.release.name} declares no risk tier", "pointer": "/release/risk_tier"}
}

deny contains finding if {
	some card_index, card in input.cards
	not card.facts.version == input.release.version
	finding := {
		"msg": $"{card.path} names version {card.facts.version}, the release {input.release.version}",
		"pointer": $"/cards/{card_index}",
	}
}

deny contains finding if {
	count([1 | some _ in input.cards]) == 0
	finding := {"msg": "the release has no model card", "pointer": "/cards"}
}
