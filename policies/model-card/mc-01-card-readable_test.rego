package adjudge.model_card.mc_01_test

import data.adjudge.model_card.mc_01 as rule

card := {"path": "card.md", "facts": {"format": "huggingface", "front_matter": true}, "problems": []}

release := {
	"release": {"manifest": "release.yaml"},
	"artifacts": [{"kind": "weights", "path": "w.safetensors"}],
	"model_cards": [],
}

test_a_card_with_front_matter_passes if count(rule.deny) == 0 with input as card

test_a_card_without_front_matter_is_found if {
	rule.deny == {{
		"msg": "card.md has no front matter: machines cannot read its licence, metrics and dates",
		"pointer": "/document",
	}} with input as object.union(card, {"facts": {"format": "markdown", "front_matter": false}})
}

test_a_card_in_json_needs_no_front_matter if {
	count(rule.deny) == 0 with input as object.union(card, {"facts": {"format": "model_card_toolkit", "front_matter": false}})
}

test_errors_in_the_card_are_found_and_warnings_are_not if {
	rule.deny == {{"msg": "card.md: no date", "pointer": "/document/x"}} with input as object.union(card, {"problems": [
		{"code": "date_format", "message": "no date", "pointer": "/document/x", "severity": "error"},
		{"code": "other", "message": "other", "pointer": "/document/y", "severity": "warning"},
	]})
}

test_a_release_without_card_is_found if {
	rule.deny == {{"msg": "release.yaml lists w.safetensors and no model card", "pointer": "/release/artifacts"}} with input as release
}

test_a_release_with_card_passes if count(rule.deny) == 0 with input as object.union(release, {"model_cards": [card]})

test_a_release_of_something_else_needs_no_card if {
	count(rule.deny) == 0 with input as object.union(release, {"artifacts": [{"kind": "sbom", "path": "s.json"}]})
}

test_single_files_are_no_release if {
	not rule.applicable with input as object.union(release, {"release": {"manifest": false}})
	rule.applicable with input as release
	rule.applicable with input as card
}
