package release

above if {
	x == 1
	x := 2
}

again if {
	x := 1
	x := 2
}

declared if {
	some x
	x := 1
}

seen if {
	input.a == y
	some y in [1]
}

argument(x) if x := 1

patterns if [x, x] := [1, 2]

not_assigned if {
	input.a := 1
	"text" := 2
	[y, 3] := [1, 3]
	count(y) := 1
	{y} := {1}
}

negated if not z := 1

own_domain if some xs in xs

call_in_head(1 + 1) := 2

inner := [x | x := 1; x := 2]

unused if some n

each if every i, v in [1] { v > 0 }
