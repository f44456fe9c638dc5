package adjudge.sbom.sb_02_test

import data.adjudge.sbom.sb_02 as rule

weights := {
	"kind": "weights",
	"path": "models",
	"digest": "dir",
	"facts": {"sha256": "dir", "files": [{"path": "models/w.safetensors", "sha256": "aa"}]},
}

sbom(facts) := {"kind": "sbom", "path": "sbom.json", "digest": "ss", "facts": object.union({"models": [], "components": []}, facts)}

release(facts) := {
	"release": {"name": "helper"},
	"artifacts": [sbom(facts), weights],
	"sboms": [sbom(facts)],
	"weights": [weights],
	"model_cards": [{"kind": "model_card", "facts": {"name": "acme/Classifier"}}],
}

described(digest) := {
	"type": "machine-learning-model",
	"name": "helper",
	"hashes": {"sha256": digest},
	"pointer": "/metadata/component",
}

model(name, digest) := {"name": name, "hashes": {"sha256": digest}, "pointer": "/components/0"}

test_an_sbom_of_these_weights_passes if {
	count(rule.deny) == 0 with input as release({"described": described("aa"), "models": [described("aa")]})
	count(rule.deny) == 0 with input as release({"described": described("dir")})
	count(rule.deny) == 0 with input as release({"models": [model("classifier", "aa")], "components": [model("classifier", "aa")]})
}

test_an_sbom_of_other_weights_is_found_where_it_says_so if {
	rule.deny == {{
		"msg": "sbom.json gives SHA-256 bb for helper; nothing in this release has it",
		"pointer": "/artifacts/0/facts/described/hashes/sha256",
	}} with input as release({"described": described("bb"), "models": [described("bb")]})
	rule.deny == {{
		"msg": "sbom.json gives SHA-256 bb for classifier; nothing in this release has it",
		"pointer": "/artifacts/0/facts/models/0/hashes/sha256",
	}} with input as release({"models": [model("classifier", "bb")]})
}

test_weights_that_no_sbom_lists_are_found if {
	rule.deny == {{
		"msg": "models/w.safetensors (SHA-256 aa) is in no SBOM of this release",
		"pointer": "/artifacts/1/path",
	}} with input as release({"described": {"type": "application", "name": "helper", "hashes": {}}})
}

test_a_base_model_need_not_be_in_the_release if {
	count(rule.deny) == 0 with input as release({"described": described("aa"), "models": [model("base", "bb")]})
}

test_without_sbom_or_weights_the_rule_does_not_apply if {
	not rule.applicable with input as {"sboms": [], "weights": [weights]}
	not rule.applicable with input as {"sboms": [sbom({})], "weights": []}
	rule.applicable with input as release({})
}

test_a_model_may_be_called_like_the_release if {
	{found.pointer | some found in rule.deny} == {"/artifacts/0/facts/models/0/hashes/sha256"} with input as release({"models": [model("acme/Helper", "bb")]})
}
