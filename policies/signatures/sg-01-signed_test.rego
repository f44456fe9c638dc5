package adjudge.signatures.sg_01_test

import data.adjudge.signatures.sg_01 as rule

weights := {"kind": "weights", "path": "w.safetensors"}

signed := {"kind": "signed_artifact", "path": "w.safetensors"}

release(artifacts, signed_artifacts, source) := {
	"release": {"manifest": "release.yaml", "trust": {"source": source}, "artifacts": artifacts},
	"artifacts": artifacts,
	"signed_artifacts": signed_artifacts,
}

test_a_verified_signature_passes if {
	count(rule.deny) == 0 with input as {"path": "w.safetensors", "facts": {"verified": true}}
	count(rule.deny) == 0 with input as release([weights, signed], [signed], "operator")
	count(rule.warn) == 0 with input as release([weights, signed], [signed], "operator")
}

test_another_signature_is_found_with_its_reason if {
	rule.deny == {{
		"msg": "w.safetensors: none of the trusted keys made this signature (key_not_trusted)",
		"pointer": "/facts/signatures/0",
	}} with input as {"path": "w.safetensors", "facts": {
		"verified": false,
		"reason": "none of the trusted keys made this signature",
		"reason_code": "key_not_trusted",
	}}
}

test_unsigned_weights_are_found_where_they_are_listed if {
	rule.deny == {{"msg": "w.safetensors is not signed", "pointer": "/release/artifacts/1"}} with input as release(
		[{"kind": "sbom", "path": "s.json"}, weights],
		[],
		"operator",
	)
}

test_what_must_be_signed_is_a_setting if {
	count(rule.deny) == 0 with input as release([weights], [], "operator")
		with data.adjudge.config as {"signatures": {"required": ["prompt_bundle"]}}
	count(rule.deny) == 1 with input as release([{"kind": "prompt_bundle", "path": "p"}], [], "operator")
		with data.adjudge.config as {"signatures": {"required": ["prompt_bundle"]}}
}

test_trust_by_the_release_itself_is_worth_a_warning if {
	rule.warn == {{
		"msg": "release.yaml itself says whom to trust; expected trust settings of the operator (--trust)",
		"pointer": "/release/trust",
	}} with input as release([weights, signed], [signed], "manifest")
}
