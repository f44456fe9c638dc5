package adjudge.sbom.sb_03_test

import data.adjudge.yaml.sb_03 as rule

sbom(components) := {"path": "sbom.json", "facts": {"components": components}}

component(type, hashes) := {"type": type, "name": "c", "hashes": hashes}

test_strong_hashes_pass if {
	every algorithm in ["sha256", "sha384", "sha512", "sha3_256", "blake2b_512", "blake3"] {
		count(rule.deny) == 0 with input as sbom([component("data", {algorithm: "aa"})])
	}
}

test_libraries_are_left_to_others if count(rule.deny) == 0 with input as sbom([component("library", {})])

test_weak_and_missing_hashes_are_found if {
	{[found.msg, found.pointer] | some found in rule.deny} == {
		["sbom.json lists the machine-learning-model c without a hash of SHA-256 strength or more", "/facts/components/0"],
		["sbom.json lists the data c without a hash of SHA-256 strength or more", "/facts/components/1"],
	} with input as sbom([component("machine-learning-model", {"sha1": "a", "md5": "b"}), component("data", {})])
}

test_the_described_model_counts if {
	rule.deny == {{
		"msg": "sbom.json describes the model m without a hash of SHA-256 strength or more",
		"pointer": "/facts/described/hashes",
	}} with input as {"path": "sbom.json", "facts": {
		"components": [],
		"described": {"type": "machine-learning-model", "name": "m", "hashes": {}},
	}}
	count(rule.deny) == 0 with input as {"path": "sbom.json", "facts": {
		"components": [],
		"described": {"type": "machine-learning-model", "name": "m", "hashes": {"sha512": "aa"}},
	}}
}
