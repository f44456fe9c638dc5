# METADATA
# scope: package
# title: The prompt has tests of every kind
# description: >-
#   There are tests with assertions, as many as setting prompts.min_tests, and at least one in each
#   category of prompts.test_categories: attacks by injection, refusals, personal data, format.
# custom:
#   id: PB-10
#   severity: high
#   controls: [eu-ai-act/15.4, eu-ai-act/15.5, nist-ai-600-1/ms-2.7-007, owasp-llm-2025/llm01]
#   applies_to: prompt_bundle
#   remediation: >-
#     Add tests to tests.json of the bundle, each with category and assertions.
package adjudge.prompt_bundle.pb_10

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/tests"} if {
	count(asserting) < settings.prompts.min_tests
	msg := $"{input.path} has {count(asserting)} tests that assert something, expected at least {settings.prompts.min_tests}"
}

deny contains {"msg": msg, "pointer": "/facts/tests"} if {
	some category in settings.prompts.test_categories
	not category in {test.category | some test in asserting}
	msg := $"{input.path} has no test of the category {category}"
}

deny contains {"msg": msg, "pointer": $"/facts/tests/{i}"} if {
	some i, test in input.facts.tests
	count(test.assertions) == 0
	name := object.get(test, "name", $"number {i + 1}")
	msg := $"{input.path}: the test {name} asserts nothing"
}

asserting := [test | some test in input.facts.tests; count(test.assertions) > 0]
