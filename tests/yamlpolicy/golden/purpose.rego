# METADATA
# title: Intended purpose is written
# description: People need to know what a model is for before they use it.
# custom:
#   id: MC-05
#   severity: high
#   controls:
#   - eu-ai-act/13.3.b.i
#   - nist-ai-rmf/map-1.1
#   remediation: Describe the intended use in the model card.
#   applies_to: card
package adjudge.yaml.mc_05

deny contains finding if {
	any_of
	finding := {"msg": $"{input.path} does not say what the model is for", "pointer": "/facts/purpose"}
}

any_of if not has_content(object.get(input, ["facts", "purpose"], null))

any_of if regex.match("(?i)more information needed|todo", input.facts.purpose)

warn contains finding if {
	has_content(input.facts.purpose)
	purpose_length < 80
	finding := {
		"msg": $"the purpose is only a few words: {input.facts.purpose}",
		"pointer": "/facts/purpose",
	}
}

default purpose_length := 0

purpose_length := count(input.facts.purpose) if is_string(input.facts.purpose)

has_content(value) if {
	is_string(value)
	trim_space(value) != ""
}

has_content(value) if {
	not is_string(value)
	not value in [null, [], {}]
}
