# METADATA
# scope: package
# title: The model is pinned and approved
# description: >-
#   The prompt names the one model version it was tested with, not an alias that moves, and that
#   model is approved (setting models.approved: ids, or patterns with *). Without the setting
#   every pinned model is accepted.
# custom:
#   id: PB-05
#   severity: high
#   controls: [nist-ai-600-1/gv-1.6-003, owasp-llm-2025/llm03]
#   applies_to: prompt_bundle
#   remediation: >-
#     Name the model with its date, revision or digest in config.yaml, and ask for approval of models
#     that are not on the list.
package adjudge.prompt_bundle.pb_05

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/model"} if {
	not input.facts.model.id
	msg := $"{input.path} names no model"
}

deny contains {"msg": msg, "pointer": "/facts/model/id"} if {
	id := input.facts.model.id
	not input.facts.model.pinned
	msg := $"{input.path} uses the model {id}, which may change at any time; expected a date, revision or digest"
}

deny contains {"msg": msg, "pointer": "/facts/model/id"} if {
	id := input.facts.model.id
	settings.models.approved
	not approved(id)
	msg := $"{input.path} uses the model {id}, which is not among the approved ones"
}

approved(id) if {
	some pattern in settings.models.approved
	glob.match(pattern, null, id)
}
