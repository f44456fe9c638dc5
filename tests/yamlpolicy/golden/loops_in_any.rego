# METADATA
# title: Tests cover every category
# custom:
#   id: PB-10
#   applies_to: card
package adjudge.yaml.pb_10

deny contains finding if {
	some category in data.categories
	some c_index, c in input.facts.components
	has_content(c.parts)
	not any_element
	finding := {
		"msg": $"no part of {c.name} is about {category}",
		"pointer": $"/facts/components/{c_index}",
	}
}

any_element if {
	some alias in input.facts.aliases
	alias == "x"
}

deny contains finding if {
	any_of
	finding := {"msg": "something is marked", "pointer": "/facts/labels"}
}

any_of if {
	some key, label in input.facts.labels
	key == label
}

any_of if {
	some label in input.document.items
	not marked_filled(label)
}

any_of if not all_of

marked_filled(label) if has_content(label.marked)

all_of if {
	input.facts.open == true
	input.facts.score > 0
}

has_content(value) if {
	is_string(value)
	trim_space(value) != ""
}

has_content(value) if {
	not is_string(value)
	not value in [null, [], {}]
}
