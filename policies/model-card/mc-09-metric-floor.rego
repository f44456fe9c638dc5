# METADATA
# scope: package
# title: Metrics reach what is required
# description: >-
#   Each metric with a floor (setting metrics.floors) is stated and at least that high, each with a
#   ceiling (metrics.ceilings) at most that high. Where the card gives a confidence interval its worse
#   end counts. A bound may depend on the risk tier of the release; without a tier the strictest holds.
#   Results for a part of the data (slices) are not compared here.
# custom:
#   id: MC-09
#   severity: high
#   controls: [eu-ai-act/15.1, nist-ai-600-1/gv-1.3-002, iso-42001/a.6.2.4]
#   applies_to: model_card
#   remediation: >-
#     Improve the model or release it in a lower tier. Bounds that are wrong are changed in the
#     settings (metrics.floors, metrics.ceilings), not in the card.
package adjudge.model_card.mc_09

import data.adjudge.settings

applicable if count(settings.metrics.floors) + count(settings.metrics.ceilings) > 0

deny contains {"msg": msg, "pointer": "/facts/metrics"} if {
	some name in (object.keys(settings.metrics.floors) | object.keys(settings.metrics.ceilings))
	not stated(name)
	msg := $"{input.path} does not state {name}, for which a bound is set"
}

deny contains {"msg": msg, "pointer": $"/facts/metrics/{i}/value"} if {
	some name, given in settings.metrics.floors
	some i, metric in whole
	metric.type == name
	value := object.get(metric, ["ci", "lower"], metric.value)
	not reaches(value, given)
	msg := $"{input.path} states {name} {value}, expected at least {bound(given, "floor")}"
}

deny contains {"msg": msg, "pointer": $"/facts/metrics/{i}/value"} if {
	some name, given in settings.metrics.ceilings
	some i, metric in whole
	metric.type == name
	value := object.get(metric, ["ci", "upper"], metric.value)
	not stays_below(value, given)
	msg := $"{input.path} states {name} {value}, expected at most {bound(given, "ceiling")}"
}

# The metrics over all the data, by their place.
whole[i] := metric if {
	some i, metric in input.facts.metrics
	is_number(metric.value)
	not metric.slice
}

stated(name) if {
	some metric in whole
	metric.type == name
}

reaches(value, given) if value >= bound(given, "floor")

stays_below(value, given) if value <= bound(given, "ceiling")

bound(given, _) := given if is_number(given)

bound(given, _) := given[tier] if is_object(given)

bound(given, "floor") := max([n | some n in given]) if {
	is_object(given)
	not given[tier]
}

bound(given, "ceiling") := min([n | some n in given]) if {
	is_object(given)
	not given[tier]
}

default tier := "unknown"

tier := input.release.risk_tier

tier := input.facts.risk_tier if not input.release.risk_tier
