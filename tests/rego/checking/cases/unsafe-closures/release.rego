package release

heads := [x | input.a]

keys := {k: v | v := input.a}

bodies := {y | y := z}

nested := [[a | a := b] | some c in [1]; c == d]

outer if {
	count([u | u == w]) > 0
	w == n
}

universal if every x in input.xs { x > limit }

template := $"{name} {input.a}"

fine := [r[i] | some r in [[1], [2]]]
