# METADATA
# title: Texts "with" quotes
# custom:
#   id: with
#   applies_to: card
package adjudge.yaml.with_

deny contains finding if {
	any_of
	finding := {
		"msg": "{path} \"quoted\" \\ back\nsecond line\n",
		"pointer": "/document/model",
		"details": {"n": 1.5, "list": ["a", $"{input.facts.title}"], "odd key": null},
	}
}

any_of if includes(input.document.model, "latest")

any_of if "beta" in input.facts.tags

any_of if contains(input.facts.title, "\"")

any_of if not note_matches

any_of if not model_index_name_contains

any_of if input.document.kind == ["a", 1, true]

any_of if {
	input.document.other != null
	input.document.other == input.document.more
}

note_matches if {
	is_string(input.facts.note)
	regex.match(`^\w+$`, input.facts.note)
}

model_index_name_contains if includes(input.document["model-index"][0].name, input.facts.title)

includes(value, part) if {
	is_string(value)
	is_string(part)
	contains(value, part)
}

includes(value, part) if {
	is_array(value)
	part in value
}
