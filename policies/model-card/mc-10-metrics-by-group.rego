# METADATA
# scope: package
# title: Performance is stated by group
# description: >-
#   The card gives at least one metric for parts of the data or groups of people (slices), for every
#   group that is required (setting metrics.groups), and the best and the worst group are not
#   further apart than metrics.max_gap.
# custom:
#   id: MC-10
#   severity: medium
#   controls: [eu-ai-act/13.3.b.v, eu-ai-act/10.2.f, eu-ai-act/10.2.g, nist-ai-600-1/ms-2.11-002, iso-42001/a.5.4]
#   applies_to: model_card
#   remediation: >-
#     Measure the model for each group it is used on and state the results with slice in
#     model-index; where groups differ too much, improve the data for the worst one.
package adjudge.model_card.mc_10

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/metrics"} if {
	count(groups) == 0
	msg := $"{input.path} states no metric by group"
}

deny contains {"msg": msg, "pointer": "/facts/metrics"} if {
	some group in settings.metrics.groups
	not group in groups
	msg := $"{input.path} states no metric for the group {group}"
}

deny contains {"msg": msg, "pointer": $"/facts/metrics/{worst}/value"} if {
	some values in by_metric
	low := min([value | some value in values])
	high := max([value | some value in values])
	high - low > settings.metrics.max_gap
	worst := min([i | some i, value in values; value == low])
	metric := input.facts.metrics[worst]
	msg := $"{input.path} states {metric.type} {low} for {metric.slice} and {high} for the best group; expected groups at most {settings.metrics.max_gap} apart"
}

groups := {metric.slice | some metric in input.facts.metrics; is_number(metric.value)}

# The values of one metric on one data set, by their place.
by_metric[key][i] := metric.value if {
	some i, metric in input.facts.metrics
	metric.slice
	is_number(metric.value)
	key := [metric.type, object.get(metric, "dataset", "")]
}
