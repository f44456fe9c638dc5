# METADATA
# scope: package
# title: The card was reviewed lately
# description: >-
#   Documentation is kept up to date: the card says when it was last reviewed, that is not longer ago
#   than setting model_card.max_age_days, and not before the model was trained.
# custom:
#   id: MC-18
#   severity: low
#   controls: [eu-ai-act/11.1, soc2/cc4.1]
#   applies_to: model_card
#   remediation: Review the card and set review_date in its front matter to the day of the review.
package adjudge.model_card.mc_18

import data.adjudge.settings

deny contains {"msg": msg, "pointer": "/facts/review_date"} if {
	not input.facts.review_date
	msg := $"{input.path} does not say when it was last reviewed"
}

deny contains {"msg": msg, "pointer": "/facts/review_date"} if {
	day := start_of(input.facts.review_date)
	time.now_ns() > time.add_date(day, 0, 0, settings.model_card.max_age_days)
	msg := $"{input.path} was last reviewed on {input.facts.review_date}; expected at most {settings.model_card.max_age_days} days ago"
}

deny contains {"msg": msg, "pointer": "/facts/review_date"} if {
	start_of(input.facts.review_date) > time.now_ns()
	msg := $"{input.path} gives the review date {input.facts.review_date}, which is yet to come"
}

deny contains {"msg": msg, "pointer": "/facts/review_date"} if {
	trained := input.facts.training.date
	regex.match(`^\d{4}-\d{2}-\d{2}$`, trained)
	input.facts.review_date < trained # adjudge:ignore fails_open: a card need not date its training
	msg := $"{input.path} was last reviewed on {input.facts.review_date}, before the model was trained ({trained})"
}

start_of(day) := time.parse_ns("2006-01-02", day)
