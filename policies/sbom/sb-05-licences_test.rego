package adjudge.sbom.sb_05_test

import data.adjudge.sbom.sb_05 as rule

sbom(components) := {"path": "sbom.json", "facts": {"components": components}}

component(license, options) := {"name": "c", "version": "1", "license": license, "license_options": options}

unknown(name) := {"name": name, "license_options": []}

test_allowed_licences_pass if {
	count(rule.deny) == 0 with input as sbom([
		component("MIT", [["MIT"]]),
		component("GPL-3.0-only OR MIT", [["GPL-3.0-only"], ["MIT"]]),
		component("MIT AND Apache-2.0", [["MIT", "Apache-2.0"]]),
	])
}

test_other_licences_are_found if {
	rule.deny == {
		{
			"msg": "sbom.json lists c 1 under GPL-3.0-only, which is not among the allowed licences",
			"pointer": "/facts/components/0/license",
		},
		{
			"msg": "sbom.json lists c 1 under MIT AND SSPL-1.0, which is not among the allowed licences",
			"pointer": "/facts/components/1/license",
		},
	} with input as sbom([component("GPL-3.0-only", [["GPL-3.0-only"]]), component("MIT AND SSPL-1.0", [["MIT", "SSPL-1.0"]])])
}

test_unknown_licences_are_one_finding if {
	rule.deny == {{
		"msg": "sbom.json gives no licence for 2 of 3 components: a, b",
		"pointer": "/facts/components/0",
	}} with input as sbom([unknown("a"), component("MIT", [["MIT"]]), unknown("b")])
	rule.deny == {{
		"msg": "sbom.json gives no licence for 7 of 7 components: 0, 1, 2, 3, 4 and others",
		"pointer": "/facts/components/0",
	}} with input as sbom([unknown(format_int(i, 10)) | some i in numbers.range(0, 6)])
}

test_the_list_is_a_setting if {
	count(rule.deny) == 0 with input as sbom([component("SSPL-1.0", [["SSPL-1.0"]])])
		with data.adjudge.config as {"licenses": {"allowed": ["SSPL-1.0"]}}
}
