package lib

strings := {"a": 1}

numbers := 2
