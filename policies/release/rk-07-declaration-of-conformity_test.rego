package adjudge.release.rk_07_test

import data.adjudge.yaml.rk_07 as rule

release(declaration) := {"release": {
	"manifest": "release.yaml",
	"version": "2.0.0",
	"risk_tier": "high",
	"declaration_of_conformity": declaration,
}}

test_a_declaration_of_this_version_passes if {
	count(rule.deny) == 0 with input as release({"path": "d.pdf", "version": "2.0.0", "sha256": "aa", "digest": "aa", "digest_matches": true})
}

test_other_tiers_need_none if not rule.applicable with input as {"release": {"risk_tier": "limited"}}

test_no_declaration_is_found if {
	rule.deny == {{
		"msg": "release.yaml declares the tier high and refers to no declaration of conformity",
		"pointer": "/release/declaration_of_conformity",
	}} with input as {"release": {"manifest": "release.yaml", "version": "2.0.0", "risk_tier": "high"}}
}

test_another_declaration_is_found if {
	{found.msg | some found in rule.deny} == {
		"the declaration of conformity is about version 1.0.0, released is 2.0.0",
		"the declaration of conformity is not the file whose digest the manifest states",
	} with input as release({"version": "1.0.0", "sha256": "aa", "digest": "bb", "digest_matches": false})
	{found.msg | some found in rule.deny} == {"the declaration of conformity is not pinned by a digest"} with input as release({"version": "2.0.0", "url": "https://acme.example/d"})
}
