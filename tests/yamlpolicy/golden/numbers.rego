# METADATA
# title: Metric floor
# custom:
#   id: MC-09
#   applies_to: card
package adjudge.yaml.mc_09

deny contains finding if {
	not score_gte
	finding := {
		"msg": $"score {input.facts.score} is below {data.floors.score}",
		"pointer": "/facts/score",
	}
}

score_gte if {
	is_number(data.floors.score)
	input.facts.score >= data.floors.score
}

deny contains finding if {
	any_of
	finding := {"msg": $"limit {input.document.limit} is out of range", "pointer": "/document/limit"}
}

any_of if object.get(input, ["document", "limit"], null) == null

any_of if {
	is_number(input.document.limit)
	input.document.limit > 100
}

any_of if {
	is_number(input.document.limit)
	input.document.limit <= -0.5
}

deny contains finding if {
	count(input.facts.tags) < 3
	finding := {"msg": "too few tags", "pointer": "/facts/tags"}
}

deny contains finding if {
	count([1 | some _ in input.facts.aliases]) >= 1
	count([1 | some _ in input.facts.aliases]) < 3
	finding := {"msg": "aliases", "pointer": "/facts/aliases"}
}
