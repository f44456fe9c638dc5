package adjudge.model_card.mc_19_test

import data.adjudge.yaml.mc_19 as rule

card(maintenance) := {"path": "card.md", "facts": {"maintenance": maintenance}}

now := time.parse_rfc3339_ns("2026-11-20T12:00:00Z")

test_support_to_come_passes if {
	count(rule.deny) == 0 with input as card({"support_until": "2026-11-21"}) with time.now_ns as now
}

test_no_end_of_support_is_found if {
	rule.deny == {{"msg": "card.md does not say until when the model is supported", "pointer": "/facts/maintenance"}} with input as card({"text": "yes"})
}

test_ended_support_is_found if {
	rule.deny == {{"msg": "card.md: support ended on 2026-11-19", "pointer": "/facts/maintenance/support_until"}} with input as card({"support_until": "2026-11-19"})
		with time.now_ns as now
}
