package release

self if self

first if second

second if third

third if first

even(n) if odd(n - 1)

odd(n) if even(n - 1)

listed contains x if listed[x]

grown[k] := v if {
	some k, v in grown
}

everything if data.other.x > count(data)

not_recursive if first_of([1])

first_of(xs) := xs[0]
