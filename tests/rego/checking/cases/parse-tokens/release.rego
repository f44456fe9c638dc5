package release

a := "never closed

b := 1 ! 2

c := "\x41"

d := 01

e := @
