package release

double(n) := n * 2

label("high", n) := sprintf("%d!", [n])

label("low", n) := sprintf("%d", [n])

wrong := double("two")

worse := double(["two"])

unknown := label("medium", 1)

kind := label(3, 1)

result := upper(double(4))

fine := double(count(input.xs))

given(x) := "one" if x == 1

given(x) := 2 if x == "b"

both := given(true)
