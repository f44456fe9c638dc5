"""Compiled clauses in, what can be told of them without an input out."""
