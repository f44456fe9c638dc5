"""The artifacts under judgement: bytes in, facts with positions out, one module per kind."""
