package release

of_call if not f(input.xs[i])

of_list if not input.a = [input.xs[j], 1]

of_key if not input.a[input.b[k]] == 1

wild if not f(input.xs[_])

own if { y = [y | y = 1] }

bound if {
	some n
	input.xs[n]
	not f(input.ys[n])
}

inside if not f([x | x := input.xs[l]])

f(x) := x
