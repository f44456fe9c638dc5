package c

deny contains "c"
