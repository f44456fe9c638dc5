package adjudge.signatures.sg_02_test

import data.adjudge.signatures.sg_02 as rule

coverage := {"unsigned_files": [], "changed_files": [], "missing_files": [], "symlinks": [], "ignored_paths": []}

artifact(facts) := {"path": "model", "facts": object.union(
	{"verified": true, "signatures": [{"path": "model/model.sig", "reason_code": "verified"}], "coverage": coverage},
	facts,
)}

test_full_coverage_passes if {
	count(rule.deny) == 0 with input as artifact({})
	count(rule.deny) == 0 with input as artifact({"coverage": {"ignored_paths": [".git", "./.github/", ".gitattributes", ".git/config"]}})
}

test_files_beside_the_signature_are_found if {
	rule.deny == {
		{"msg": "model: a.py is not covered by the signature", "pointer": "/facts/coverage"},
		{"msg": "model: b.bin was changed after it was signed", "pointer": "/facts/coverage"},
		{"msg": "model: c.bin was signed and is missing", "pointer": "/facts/coverage"},
		{"msg": "model: d is a symbolic link, which no signature covers", "pointer": "/facts/coverage"},
	} with input as artifact({"coverage": {
		"unsigned_files": ["a.py"],
		"changed_files": ["b.bin"],
		"missing_files": ["c.bin"],
		"symlinks": ["d"],
	}})
}

test_what_the_signer_left_out_is_found if {
	rule.deny == {{"msg": "model: the signer left out payload", "pointer": "/facts/coverage"}} with input as artifact({"coverage": {"ignored_paths": [".git", "payload"]}})
	count(rule.deny) == 1 with input as artifact({"coverage": {"ignored_paths": [".gitpayload"]}})
}

test_a_signature_over_other_bytes_is_found if {
	rule.deny == {{
		"msg": "model/model.sig does not fit model: files are missing or differ from what was signed (files_changed)",
		"pointer": "/facts/signatures/0",
	}} with input as artifact({
		"verified": false,
		"signatures": [{
			"path": "model/model.sig",
			"reason_code": "files_changed",
			"reason": "files are missing or differ from what was signed",
		}],
	})
}

test_without_trust_only_the_fit_is_judged if {
	count(rule.deny) == 0 with input as artifact({
		"verified": false,
		"signatures": [{"path": "s", "reason_code": "no_trusted_key"}],
		"coverage": {"unsigned_files": ["a"]},
	})
}
