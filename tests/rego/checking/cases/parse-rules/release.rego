package release

deny[msg] { msg := "v0" }

allow { true }

half if {
	input.a ==
}

other := [1, 2

last if input.x
