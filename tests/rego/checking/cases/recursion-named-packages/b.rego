package b

deny contains "b"
