# METADATA
# scope: package
# title: Limits are set
# description: >-
#   Tokens of an answer, time of a call and temperature are written down and not above what the
#   organisation allows (settings prompts.max_tokens, prompts.timeout_s, prompts.temperature).
# custom:
#   id: PB-09
#   severity: medium
#   controls: [owasp-llm-2025/llm10, nist-ai-600-1/ms-2.6-005]
#   applies_to: prompt_bundle
#   remediation: Set max_tokens, timeout_s and temperature under parameters in config.yaml.
package adjudge.prompt_bundle.pb_09

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/document/config/parameters"} if {
	some name in names
	not input.facts.parameters[name]
	msg := $"{input.path} sets no {name}"
}

deny contains {"msg": msg, "pointer": $"/facts/parameters/{name}"} if {
	some name in names
	value := input.facts.parameters[name]
	value > settings.prompts[name]
	msg := $"{input.path} sets {name} to {value}, expected at most {settings.prompts[name]}"
}

deny contains {"msg": msg, "pointer": $"/facts/parameters/{name}"} if {
	some name in ["max_tokens", "timeout_s"]
	input.facts.parameters[name] <= 0
	msg := $"{input.path} sets {name} to {input.facts.parameters[name]}, expected more than 0"
}

names := ["max_tokens", "timeout_s", "temperature"]
