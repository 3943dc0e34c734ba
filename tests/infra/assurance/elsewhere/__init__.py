"""Applications that are not this one: their constructs, in small hand-written assemblies."""
