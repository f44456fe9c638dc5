package release

limits := {"cpu": 4, "memory": {"min": 1, "max": 8}}

names := ["a", "b"]

allowed contains "x" if input.x

by_name[n] := 1 if some n in names

no_key := limits.disk

no_part := limits.memory.swap

too_deep := limits.cpu.cores

out_of_range := names[7]

no_index := names.first

no_member if allowed[3]

called := weight

weight(x) := x * 2

wrong_key if by_name[12]

variable := v if {
	some k
	v := limits.memory[k]
	k == 3
}
