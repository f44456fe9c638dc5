package a

deny contains msg if {
	some name in ["b", "c"]
	some msg in data[name].deny
}

one := data[name].deny if name := "b"
