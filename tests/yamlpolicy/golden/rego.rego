# METADATA
# title: Tags are unique
# custom:
#   id: DT-06
#   applies_to: card
package adjudge.yaml.dt_06

deny contains finding if {
	count(input.facts.tags) > 1
	custom
	finding := {"msg": "a tag is there twice"}
}

custom if {
	some i, tag in input.facts.tags
	some j, other in input.facts.tags
	i < j
	tag == other
}

deny contains finding if {
	some c_index, c in input.facts.components
	upper(c.name) == c.name
	not custom_2(c)
	finding := {"msg": $"{c.name} is written in capitals", "pointer": $"/facts/components/{c_index}"}
}

custom_2(c) if startswith(c.version, "v")
