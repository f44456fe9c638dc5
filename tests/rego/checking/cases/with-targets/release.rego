package release

allowed if input.a

limits := {"cpu": 1}

f(x) := x

lost if allowed with nowhere as 1

also if allowed with nothing.at.all as 1

part if allowed with data.release.limits.cpu as 2

equality if allowed with eq as f

inner if allowed with internal.print as f

relation if allowed with walk as f

void if allowed with print as f

fine if allowed with input.a as 1 with data.release.f as 2 with count as f
