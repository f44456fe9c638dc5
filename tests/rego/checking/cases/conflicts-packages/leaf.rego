package lib.numbers
