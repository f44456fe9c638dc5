# METADATA
# scope: package
# title: Red-teaming is recent and its attacks fail
# description: >-
#   A red-team run is at most red_team.max_age_days old, no more of its attacks succeeded than
#   red_team.max_success says (as a share), and every category in red_team.categories was tried.
# custom:
#   id: EV-02
#   severity: high
#   controls: [nist-ai-600-1/ms-2.7-007, owasp-llm-2025/llm01]
#   applies_to: evaluation
#   remediation: Run the red-team suite again on what is released, with all categories, and fix what gets through.
package adjudge.evaluation.ev_02

import data.adjudge.settings

applicable if input.facts.red_team

deny contains {"msg": msg, "pointer": "/facts/red_team/attack_success_rate"} if {
	rate := object.get(input.facts.red_team, "attack_success_rate", 1)
	rate > settings.red_team.max_success
	msg := $"{input.path}: {rate} of the attacks succeeded, expected at most {settings.red_team.max_success}"
}

deny contains {"msg": msg, "pointer": "/facts/red_team/categories"} if {
	tried := {category.name | some category in input.facts.red_team.categories}
	missing := [name | some name in settings.red_team.categories; not name in tried]
	count(missing) > 0
	msg := $"{input.path} did not try {concat(", ", missing)}"
}

deny contains {"msg": msg, "pointer": "/facts/created"} if {
	not recent
	msg := $"{input.path} does not say that it was run in the last {settings.red_team.max_age_days} days"
}

recent if {
	made := time.parse_rfc3339_ns(input.facts.created)
	time.now_ns() <= time.add_date(made, 0, 0, settings.red_team.max_age_days)
}
