# METADATA
# scope: package
# title: Metrics are stated with the data they were measured on
# description: >-
#   A number says something only together with the data set, its split and its revision.
# custom:
#   id: MC-08
#   severity: medium
#   controls: [eu-ai-act/13.3.b.ii, eu-ai-act/15.3, eu-ai-act/annex-iv.2.g, nist-ai-600-1/ms-2.3-002]
#   applies_to: model_card
#   remediation: >-
#     State each result in model-index of the front matter (or in .eval_results beside the card)
#     with a numeric value and dataset.type, dataset.split and dataset.revision.
package adjudge.model_card.mc_08

deny contains {"msg": msg, "pointer": "/facts/metrics"} if {
	not measured
	msg := $"{input.path} states no metric with a number"
}

deny contains {"msg": msg, "pointer": $"/facts/metrics/{i}"} if {
	some i, metric in input.facts.metrics
	not metric.value
	msg := $"{input.path} states {label(metric)} without a number"
}

deny contains {"msg": msg, "pointer": $"/facts/metrics/{i}"} if {
	some i, metric in input.facts.metrics
	missing := [text | some key, text in required; not metric[key]]
	count(missing) > 0
	names := concat(" and ", sort(missing))
	msg := $"{input.path} states {label(metric)} and not the {names} it was measured on"
}

warn contains {"msg": msg, "pointer": $"/facts/metrics/{i}"} if {
	some i, metric in input.facts.metrics
	metric.dataset
	not metric.dataset_revision
	msg := $"{input.path} states {label(metric)} on {metric.dataset} without its revision"
}

required := {"dataset": "data set", "split": "split"}

measured if {
	some metric in input.facts.metrics
	metric.value
}

label(metric) := metric.type

label(metric) := object.get(metric, "name", "a metric") if not metric.type
