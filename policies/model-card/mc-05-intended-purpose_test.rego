package adjudge.model_card.mc_05_test

import data.adjudge.yaml.mc_05 as rule

card(facts) := {"path": "card.md", "facts": facts}

test_a_written_purpose_passes if {
	count(rule.deny) == 0 with input as card({"intended_use": "Sorting tickets that customers write in English into six intents, inside the help-desk."})
}

test_no_purpose_is_found if {
	every facts in [{}, {"intended_use": "  "}] {
		rule.deny == {{"msg": "card.md does not say what the model is for", "pointer": "/facts/intended_use"}} with input as card(facts)
	}
}

test_a_few_words_are_found if {
	rule.deny == {{
		"msg": "card.md says what the model is for in a few words only; expected at least 60 characters",
		"pointer": "/facts/intended_use",
	}} with input as card({"intended_use": "Chat."})
}
