package adjudge.model_card.mc_09_test

import data.adjudge.model_card.mc_09 as rule

card(metrics, release) := {"path": "card.md", "facts": {"metrics": metrics}, "release": release}

config := {"metrics": {"floors": {"accuracy": {"limited": 0.8, "high": 0.95}}, "ceilings": {"wer": 0.1}}}

good := [{"type": "accuracy", "value": 0.9}, {"type": "wer", "value": 0.05}]

messages(metrics, release) := found if {
	found := {entry.msg | some entry in rule.deny} with input as card(metrics, release)
		with data.adjudge.config as config
}

test_without_bounds_there_is_nothing_to_compare if {
	not rule.applicable with input as card(good, {})
	rule.applicable with input as card(good, {}) with data.adjudge.config as config
}

test_values_in_bounds_pass if messages(good, {"risk_tier": "limited"}) == set()

test_a_value_below_its_floor_is_found if {
	rule.deny == {{
		"msg": "card.md states accuracy 0.9, expected at least 0.95",
		"pointer": "/facts/metrics/0/value",
	}} with input as card(good, {"risk_tier": "high"}) with data.adjudge.config as config
}

test_without_a_tier_the_strictest_bound_holds if {
	messages(good, {}) == {"card.md states accuracy 0.9, expected at least 0.95"}
	messages(good, {"risk_tier": "minimal"}) == {"card.md states accuracy 0.9, expected at least 0.95"}
}

test_a_value_above_its_ceiling_is_found if {
	messages([good[0], {"type": "wer", "value": 0.2}], {"risk_tier": "limited"}) == {"card.md states wer 0.2, expected at most 0.1"}
}

test_the_worse_end_of_an_interval_counts if {
	messages([{"type": "accuracy", "value": 0.9, "ci": {"lower": 0.7, "upper": 0.95}}, good[1]], {"risk_tier": "limited"}) == {"card.md states accuracy 0.7, expected at least 0.8"}
	messages([good[0], {"type": "wer", "value": 0.05, "ci": {"lower": 0.01, "upper": 0.3}}], {"risk_tier": "limited"}) == {"card.md states wer 0.3, expected at most 0.1"}
}

test_a_metric_that_is_missing_is_found if {
	messages([good[1]], {"risk_tier": "limited"}) == {"card.md does not state accuracy, for which a bound is set"}
	messages([{"type": "accuracy", "value": 1, "slice": "men"}, good[1]], {"risk_tier": "limited"}) == {"card.md does not state accuracy, for which a bound is set"}
}

test_a_bound_that_cannot_be_read_holds_for_nothing if {
	rule.deny != set() with input as card(good, {}) with data.adjudge.config as {"metrics": {"floors": {"accuracy": "high"}}}
}

test_the_card_names_the_tier_where_the_manifest_does_not if {
	count(rule.deny) == 0 with input as {"path": "card.md", "facts": {"metrics": good, "risk_tier": "limited"}, "release": {}}
		with data.adjudge.config as config
}

test_without_a_tier_the_lowest_ceiling_holds if {
	{found.msg | some found in rule.deny} == {"card.md states wer 0.05, expected at most 0.01"} with input as card(good, {})
		with data.adjudge.config as {"metrics": {"ceilings": {"wer": {"limited": 0.1, "high": 0.01}}}}
}
