package release

input = 1

data { true }

shadow { input := 1; input == 1 }

p { data := 2; data == 2 }
