package lib.strings

trim := 1
