# METADATA
# title: The licence is allowed
# custom:
#   id: MC-04
#   severity: high
#   applies_to: card
package adjudge.yaml.mc_04

deny contains finding if {
	not license_id_in
	finding := {
		"msg": $"licence {input.facts.license.id} is not on the list",
		"pointer": "/facts/license/id",
		"remediation": $"Choose another licence than {input.facts.license.id}, or have it approved.",
		"details": {
			"found": object.get(input, ["facts", "license", "id"], null),
			"allowed": allowed_licenses_value,
		},
	}
}

license_id_in if input.facts.license.id in data.allowed.licenses

default allowed_licenses_value := null

allowed_licenses_value := data.allowed.licenses

# METADATA
# custom:
#   severity: low
deny contains finding if {
	object.get(input, ["facts", "license", "id"], null) == null
	input.facts.license.name != null
	finding := {"msg": "the licence has a name and no id", "pointer": "/facts/license/id"}
}
