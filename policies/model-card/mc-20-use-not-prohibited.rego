# METADATA
# scope: package
# title: The use case is not a prohibited one
# description: >-
#   The tags that say what the system is used for (use_case_tags of the manifest and the card) hold
#   none of the practices that are prohibited (setting risk.prohibited_uses), and no tier
#   "prohibited" is declared. Tags say what their author says: this is no legal assessment.
# custom:
#   id: MC-20
#   severity: critical
#   controls: [eu-ai-act/5, nist-ai-600-1/mp-1.1-004]
#   effective_from: "2025-02-02"
#   remediation: Do not release the system for this use.
package adjudge.model_card.mc_20

import data.adjudge.settings

# METADATA
# custom: {applies_to: model_card}
deny contains {"msg": msg, "pointer": $"/facts/use_case_tags/{i}"} if {
	some i, tag in input.facts.use_case_tags
	tag in settings.risk.prohibited_uses
	msg := $"{input.path} names the use {tag}, which is prohibited"
}

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": $"/release/use_case_tags/{i}"} if {
	some i, tag in input.release.use_case_tags
	tag in settings.risk.prohibited_uses
	msg := $"{input.release.manifest} names the use {tag}, which is prohibited"
}

# METADATA
# custom: {applies_to: release}
deny contains {"msg": msg, "pointer": "/release/risk_tier"} if {
	input.release.risk_tier == "prohibited"
	msg := $"{input.release.manifest} declares the risk tier prohibited"
}

# adjudge:ignore-file effective_from_past: the date of the law, which decisions about the past need
