package adjudge.model_card.mc_12_test

import data.adjudge.yaml.mc_12 as rule

card(bases, tags) := {"path": "card.md", "facts": {"base_models": bases, "tags": tags}}

test_a_pinned_base_passes if count(rule.deny) == 0 with input as card([{"name": "a/b", "revision": "9b1d"}], ["lora"])

test_a_model_of_its_own_passes if count(rule.deny) == 0 with input as card([], ["chat"])

test_an_unpinned_base_is_found if {
	rule.deny == {{
		"msg": "card.md states the base model c/d without its revision",
		"pointer": "/facts/base_models/1",
	}} with input as card([{"name": "a/b", "revision": "1"}, {"name": "c/d"}], [])
}

test_an_adapter_of_nothing_is_found if {
	rule.deny == {{
		"msg": "card.md describes a fine-tuned or adapted model and names no base model",
		"pointer": "/facts/tags/1",
	}} with input as card([], ["text", "LoRA"])
}
