package release

deny contains msg if {
	msg := {"text": "no", "code": 3}
}

warn contains 7

codes := [d.code | some d in deny; startswith(d.code, "3")]

wrong if {
	some w in warn
	upper(w) == "X"
}

text := d.txt if some d in deny

merged := object.union(deny, {})

count_of[kind] contains n if {
	kind := "k"
	n := 1
}

bad if count_of.k == {"one"}
