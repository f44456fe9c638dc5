# METADATA
# title: The card is fresh
# custom:
#   id: MC-18
#   applies_to: card
package adjudge.yaml.mc_18

deny contains finding if {
	not reviewed_after
	finding := {"msg": $"last reviewed {input.facts.reviewed}", "pointer": "/facts/reviewed"}
}

reviewed_after if timestamp(input.facts.reviewed) > time.add_date(time.now_ns(), 0, 0, -90)

deny contains finding if {
	timestamp(input.facts.reviewed) < timestamp("2024-02-29")
	finding := {"msg": "reviewed before the format existed", "pointer": "/facts/reviewed"}
}

deny contains finding if {
	timestamp(input.facts.reviewed) > time.now_ns() + time.parse_duration_ns("36h")
	finding := {"msg": "reviewed in the future", "pointer": "/facts/reviewed"}
}

timestamp(value) := time.parse_rfc3339_ns(concat("", [value, "T00:00:00Z"])) if is_date(value)

timestamp(value) := time.parse_rfc3339_ns(value) if {
	is_string(value)
	is_date(substring(value, 0, 10))
	clock := `^T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`
	regex.match(clock, substring(value, 10, -1))
}

is_date(value) if {
	is_string(value)
	regex.match(`^(1[7-9]|2[01])\d\d-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$`, value)
}
