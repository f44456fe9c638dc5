package release

limits := {"cpu": 1}

limits.cpu := 2

limits.memory.max := 3

names contains "x"

names.y := 1

parts[k] := 1 if some k in ["a"]

parts.b := 2

parts.f(x) := x
