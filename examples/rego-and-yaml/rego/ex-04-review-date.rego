# METADATA
# scope: package
# title: The card was reviewed within a year
# custom:
#   id: EX-04
#   severity: low
#   applies_to: model_card
package example.ex_04

warn contains {"msg": msg, "pointer": "/facts/review_date"} if {
	not fresh
	msg := $"{input.path} was reviewed at {input.facts.review_date}"
}

fresh if time.parse_ns("2006-01-02", input.facts.review_date) > time.add_date(time.now_ns(), -1, 0, 0)
