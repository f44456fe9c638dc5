# METADATA
# scope: package
# title: The evaluation passed and is about this release
# description: >-
#   No evaluation failed. A test result names an artifact of this release by digest. With setting
#   evaluations.signed, results must be signed by somebody who is trusted.
# custom:
#   id: EV-01
#   severity: high
#   controls: [eu-ai-act/15.1, iso-42001/a.6.2.4, nist-ai-600-1/ms-2.3-002]
#   applies_to: evaluation
#   remediation: Evaluate what is released, and state the result in a signed in-toto test result about its digest.
package adjudge.evaluation.ev_01

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/result"} if {
	input.facts.result == "FAILED"
	msg := $"{input.path} says that the evaluation failed"
}

deny contains {"msg": msg, "pointer": "/facts/subjects"} if {
	input.facts.tool == "in-toto"
	count(input.facts.artifacts) == 0
	msg := $"{input.path} is about nothing in this release"
}

deny contains {"msg": msg, "pointer": "/facts/assurance"} if {
	settings.evaluations.signed
	input.facts.assurance != "signed"
	msg := $"{input.path} is not signed by anybody who is trusted"
}
