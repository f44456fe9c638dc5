package release

input = 1

shadow { input := 1; input == 1 }
