package release

ports := {80, 443}

words := ["a", "b"]

labels := {"team": "x"}

never if "http" in ports

nor if 3 in words

neither if 1, "x" in labels

is_key if "team", 7 in labels

fine if "b" in words

each := [p | some p in ports; startswith(p, "8")]

keys := [k | some k, _ in labels; k > 3]
