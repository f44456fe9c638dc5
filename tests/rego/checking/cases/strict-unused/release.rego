package release

assigned if {
	x := input.a
	y := 1
	input.b == y
}

argument(used, unused, _) := used

only_in_else(n) := 1 if {
	input.a
} else := n

comprehension := [1 | z := input.z]

destructured := a if [a, b] := input.pair

nested if {
	xs := [v | w := 1; v := 2]
	count(xs) > 0
}

rule(arg) if {
	later := 1
	input.c
} else if {
	more := 2
	input.d
}
