package adjudge.model_card.mc_07_test

import data.adjudge.yaml.mc_07 as rule

card(facts) := {"path": "card.md", "facts": facts}

test_all_three_pass if {
	count(rule.deny) == 0 with input as card({"limitations": "irony", "risks": "injection", "mitigations": "tags"})
	count(rule.deny) == 0 with input as card({"limitations": "irony", "ethical": "bias", "mitigations": "review"})
}

test_nothing_written_is_found if {
	rule.deny == {
		{"msg": "card.md lists no limitation of the model", "pointer": "/facts/limitations"},
		{"msg": "card.md lists no risk", "pointer": "/facts/risks"},
	} with input as card({})
}

test_risks_without_mitigation_are_found if {
	every facts in [{"limitations": "x", "risks": "y"}, {"limitations": "x", "ethical": "y", "mitigations": ""}] {
		rule.deny == {{
			"msg": "card.md lists risks and nothing that is done against them",
			"pointer": "/facts/risks",
		}} with input as card(facts)
	}
}
