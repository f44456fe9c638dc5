package adjudge.evaluation.ev_01_test

import data.adjudge.evaluation.ev_01 as rule

evaluation(facts) := {"path": "e.json", "facts": object.union(
	{"tool": "in-toto", "result": "PASSED", "assurance": "self_declared", "artifacts": ["m"]},
	facts,
)}

messages(given) := found if {
	found := {entry.msg | some entry in rule.deny} with input as given
}

test_a_passed_evaluation_passes if {
	messages(evaluation({})) == set()
	messages(evaluation({"tool": "promptfoo", "artifacts": []})) == set()
}

test_a_failed_one_is_found if messages(evaluation({"result": "FAILED"})) == {"e.json says that the evaluation failed"}

test_one_of_something_else_is_found if messages(evaluation({"artifacts": []})) == {"e.json is about nothing in this release"}

test_signatures_are_asked_for_by_a_setting if {
	count(rule.deny) == 1 with input as evaluation({}) with data.adjudge.config as {"evaluations": {"signed": true}}
	count(rule.deny) == 0 with input as evaluation({"assurance": "signed"})
		with data.adjudge.config as {"evaluations": {"signed": true}}
}
