# METADATA
# scope: package
# title: The card says what the model is for
# custom:
#   id: EX-01
#   severity: high
#   controls: [eu-ai-act/13.3.b.i]
#   remediation: Write a section "Intended use".
#   applies_to: model_card
package example.ex_01

deny contains {"msg": msg, "pointer": "/facts/intended_use"} if {
	trim_space(object.get(input.facts, "intended_use", "")) == ""
	msg := $"{input.path} does not say what the model is for"
}
