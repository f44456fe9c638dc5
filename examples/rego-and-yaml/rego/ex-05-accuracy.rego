# METADATA
# scope: package
# title: Accuracy is high enough, also in the worst group
# custom:
#   id: EX-05
#   severity: medium
#   remediation: Train on more of these.
#   applies_to: model_card
package example.ex_05

# METADATA
# custom: {severity: high}
deny contains {"msg": $"accuracy of {metric.slice} is {metric.value}", "pointer": $"/facts/metrics/{i}"} if {
	some i, metric in input.facts.metrics
	metric.type == "accuracy"
	metric.slice
	metric.value < 0.92
}

warn contains finding if {
	some i, metric in input.facts.metrics
	metric.type == "accuracy"
	not metric.ci
	finding := {
		"msg": $"metric {i} of {input.path} is an accuracy without an interval",
		"pointer": $"/facts/metrics/{i}",
		"remediation": $"Compute the interval of {metric.value}.",
	}
}
