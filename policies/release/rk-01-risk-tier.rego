# METADATA
# scope: package
# title: The risk tier is declared and consistent
# description: >-
#   The manifest declares the tier of the system; uses that the EU AI Act lists as high-risk (setting
#   risk.high_risk_uses) are declared high, and no model card says otherwise. Tags say what their author
#   says: this is no legal assessment.
# custom:
#   id: RK-01
#   severity: high
#   controls: [eu-ai-act/6, eu-ai-act/annex-iii, nist-ai-600-1/gv-1.3-001]
#   remediation: >-
#     Set risk_tier in release.yaml to high, limited or minimal, as your assessment found, and make the
#     model card agree.
package adjudge.release.rk_01

import data.adjudge.settings

applicable if input.release.manifest

deny contains {"msg": msg, "pointer": "/release/risk_tier"} if {
	not input.release.risk_tier
	msg := $"{input.release.manifest} declares no risk tier"
}

deny contains {"msg": msg, "pointer": $"/release/use_case_tags/{i}"} if {
	some i, tag in input.release.use_case_tags
	tag in settings.risk.high_risk_uses
	not high
	msg := $"{input.release.manifest} names the use {tag}, which is high-risk, and declares the tier {declared}"
}

deny contains {"msg": msg, "pointer": $"/artifacts/{a}/facts/use_case_tags/{i}"} if {
	some a, card in input.artifacts
	card.kind == "model_card"
	some i, tag in card.facts.use_case_tags
	tag in settings.risk.high_risk_uses
	not high
	msg := $"{card.path} names the use {tag}, which is high-risk; {input.release.manifest} declares the tier {declared}"
}

deny contains {"msg": msg, "pointer": $"/artifacts/{a}/facts/risk_tier"} if {
	some a, card in input.artifacts
	card.kind == "model_card"
	lower(card.facts.risk_tier) != input.release.risk_tier
	msg := $"{card.path} states the risk tier {card.facts.risk_tier}, {input.release.manifest} declares {input.release.risk_tier}"
}

high if input.release.risk_tier in ["high", "prohibited"]

declared := object.get(input.release, "risk_tier", "none")
