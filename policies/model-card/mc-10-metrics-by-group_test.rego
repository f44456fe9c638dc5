package adjudge.model_card.mc_10_test

import data.adjudge.model_card.mc_10 as rule

card(metrics) := {"path": "card.md", "facts": {"metrics": metrics}}

metric(slice, value) := {"type": "accuracy", "dataset": "d", "slice": slice, "value": value}

test_groups_close_together_pass if {
	count(rule.deny) == 0 with input as card([metric("de", 0.9), metric("en", 0.95), {"type": "f1", "value": 0.1}])
}

test_no_group_is_found if {
	rule.deny == {{"msg": "card.md states no metric by group", "pointer": "/facts/metrics"}} with input as card([{"type": "accuracy", "value": 0.9}])
}

test_a_required_group_that_is_missing_is_found if {
	rule.deny == {{"msg": "card.md states no metric for the group fr", "pointer": "/facts/metrics"}} with input as card([metric("de", 0.9)])
		with data.adjudge.config as {"metrics": {"groups": ["de", "fr"]}}
}

test_groups_far_apart_are_found_at_the_worst if {
	rule.deny == {{
		"msg": "card.md states accuracy 0.7 for de and 0.95 for the best group; expected groups at most 0.1 apart",
		"pointer": "/facts/metrics/1/value",
	}} with input as card([metric("en", 0.95), metric("de", 0.7), metric("fr", 0.9)])
}

test_different_metrics_are_not_compared if {
	count(rule.deny) == 0 with input as card([metric("en", 0.95), object.union(metric("de", 0.2), {"type": "loss"})])
}
