package release

simple if x == 1

head := y if input.a

key contains k if input.a

both[i] := v if input.a

negated if {
	not input.banned[n]
}

argument if count(q) > 1

twice if {
	a == b
	b == c
}

consequence := z if {
	z := lost + 1
	other := z
	other > 1
}

in_call := f(g(w))

f(p) := p

g(p) := p

safe if {
	s == 2
	s := 1 + t
	t = 1
}

every_domain if every e in es { e }
