# METADATA
# scope: package
# title: Prompts are set to be steady
# custom:
#   id: EX-06
#   controls: [owasp-llm-2025/llm10]
#   applies_to: prompt_bundle
package example.ex_06

deny contains {"msg": msg, "pointer": "/facts/parameters/temperature"} if {
	not steady
	facts := input.facts
	msg := $"{facts.name} {facts.version} has the temperature {facts.parameters.temperature}"
}

steady if input.facts.parameters.temperature <= 0.5
