package adjudge.signatures.sg_04_test

import data.adjudge.signatures.sg_04 as rule

release(assurance, level) := {"weights": [{"path": "w", "attestations": [{
	"assurance": assurance,
	"provenance": {"level": level, "source_uri": "https://git/acme"},
}]}]}

required := {"provenance": {"required_level": 2}}

from(source) := {"provenance": {"required_level": 2, "sources": [source]}}

test_nothing_is_asked_for_by_itself if {
	not rule.applicable with input as {"weights": [{"path": "w", "attestations": []}]}
	rule.applicable with data.adjudge.config as required with input as {}
}

test_provenance_passes if {
	count(rule.deny) == 0 with input as release("signed", 2) with data.adjudge.config as required
	count(rule.deny) == 0 with input as release("signed", 3) with data.adjudge.config as from("https://git/acme")
}

test_missing_weak_and_unsigned_provenance_is_found if {
	every given in [release("signed", 1), release("self_declared", 3), {"weights": [{"path": "w", "attestations": []}]}] {
		{found.msg | some found in rule.deny} == {"w has no signed provenance of level 2"} with input as given
			with data.adjudge.config as required
	}
}

test_another_source_is_found if {
	{found.msg | some found in rule.deny} == {"w was built from none of the expected repositories"} with input as release("signed", 2)
		with data.adjudge.config as from("https://git/other")
}
