package adjudge.model_card.mc_17_test

import data.adjudge.yaml.mc_17 as rule

card(holes) := {"path": "card.md", "facts": {"placeholders": holes}}

test_a_filled_card_passes if count(rule.deny) == 0 with input as card([])

test_every_hole_is_found if {
	rule.deny == {
		{"msg": "card.md line 7 still says [More Information Needed]", "pointer": "/facts/placeholders/0"},
		{"msg": "card.md line 9 still says TODO", "pointer": "/facts/placeholders/1"},
	} with input as card([{"text": "[More Information Needed]", "line": 7, "section": "a"}, {"text": "TODO", "line": 9, "section": "b"}])
}
