# METADATA
# scope: package
# title: The licence is one we accept
# custom:
#   id: EX-02
#   severity: high
#   remediation: Choose another licence, or ask the legal department.
#   applies_to: model_card
package example.ex_02

deny contains {"msg": $"{input.path} states no licence", "pointer": "/facts/license"} if {
	count(input.facts.license.ids) == 0
}

deny contains finding if {
	some i, id in input.facts.license.ids
	not id in ["apache-2.0", "mit"]
	finding := {
		"msg": $"{input.path} states the licence {id}",
		"pointer": $"/facts/license/ids/{i}",
		"details": {"licence": id},
	}
}
