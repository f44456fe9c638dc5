package release

limits := {"cpu": 4, "gpu": 1}

never if 1 == "1"

nor if limits.cpu = "four"

lists if ["a", 1] = ["a", "b"]

lengths if [1, 2] = [1, 2, 3]

objects if {"cpu": 4, "gpu": "none"} = limits

sets if {1, 2} == {"a"}

assigned if {
	x := 1
	x == "one"
}

unlikely if limits == [1]

patterns if {
	[a, "b"] = [1, c]
	a == c
}

results if count(input.xs) == "many"

in_comprehension := [n | some n in [1, 2]; n == "two"]
