# METADATA
# title: Settings of the shipped policies
# description: >-
#   What a rule compares with - licences, limits, lists - is read from here. Every value has a
#   default; `data.adjudge.config` (a file named with --data) replaces it. Objects are joined
#   key by key, lists and single values are replaced.
package adjudge.settings

# METADATA
# title: What holds when nothing else is said
defaults := {
	"licenses": {"allowed": [
		"0BSD",
		"Apache-2.0",
		"BSD-2-Clause",
		"BSD-3-Clause",
		"BSL-1.0",
		"BlueOak-1.0.0",
		"CC-BY-4.0",
		"CC0-1.0",
		"CDLA-Permissive-2.0",
		"ISC",
		"MIT",
		"MIT-0",
		"MPL-2.0",
		"ODC-By-1.0",
		"PSF-2.0",
		"Python-2.0",
		"Unicode-3.0",
		"Unlicense",
		"Zlib",
	]},
	"model_card": {"max_age_days": 365},
	"metrics": {
		"floors": {},
		"ceilings": {},
		"groups": [],
		"max_gap": 0.1,
	},
	"prompts": {
		"max_tokens": 16384,
		"timeout_s": 120,
		"temperature": 1,
		"min_tests": 4,
		"test_categories": ["injection", "refusal", "pii", "format"],
	},
	"tools": {
		"approved": {},
		"user_credentials": ["user", "per_user", "on_behalf_of", "delegated"],
	},
	"vulnerabilities": {"block": ["critical"], "signed_vex": false},
	"approvals": {"required": 0, "roles": []},
	"evaluations": {"signed": false},
	"red_team": {
		"categories": [],
		"max_age_days": 90,
		"max_success": 0.05,
	},
	"provenance": {"required_level": 0, "sources": []},
	"signatures": {
		"required": ["weights"],
		"ignorable": [".git", ".gitattributes", ".gitignore", ".github"],
		"require_log": false,
		"max_age_days": 365,
	},
	"weights": {"chat_templates": []},
	"logging": {"min_retention_days": 180},
	"overrides": {"denied": ["kinds_forced", "trust_from_manifest"]},
	"processing": {"regions": []},
	"risk": {
		"assessment_max_age_days": 365,
		"prohibited_uses": [
			"biometric-categorisation",
			"emotion-recognition-education",
			"emotion-recognition-workplace",
			"exploiting-vulnerabilities",
			"facial-image-scraping",
			"predictive-policing-by-profiling",
			"real-time-remote-biometric-identification",
			"social-scoring",
			"subliminal-manipulation",
		],
		"high_risk_uses": [
			"biometric-identification",
			"border-control",
			"credit-scoring",
			"critical-infrastructure",
			"education-admission",
			"election-influence",
			"emergency-dispatch",
			"emotion-recognition",
			"employee-management",
			"exam-grading",
			"exam-proctoring",
			"insurance-pricing",
			"judicial-assistance",
			"law-enforcement",
			"migration-control",
			"public-benefits",
			"recruitment",
			"worker-monitoring",
		],
	},
}

# METADATA
# title: Settings without a default
# description: The rule that reads one has nothing to compare with until it is given.
optional := {"models": {"approved": "array"}}

# What is given and is of the right type. What is not is reported by CFG-01, and the default holds.
given[section][name] := value if {
	some section, values in data.adjudge.config
	some name, value in values
	type_name(value) == type_name(defaults[section][name])
}

given[section][name] := value if {
	some section, values in data.adjudge.config
	some name, value in values
	type_name(value) == optional[section][name]
}

merged := object.union(defaults, given)

licenses := merged.licenses

model_card := merged.model_card

metrics := merged.metrics

models := object.get(merged, "models", {})

prompts := merged.prompts

tools := merged.tools

vulnerabilities := merged.vulnerabilities

signatures := merged.signatures

approvals := merged.approvals

evaluations := merged.evaluations

provenance := merged.provenance

red_team := merged.red_team

weights := merged.weights

logging := merged.logging

overrides := merged.overrides

processing := merged.processing

risk := merged.risk
