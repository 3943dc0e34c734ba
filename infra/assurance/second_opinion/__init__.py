"""Who can open a connection to a data store, decided a second time: by a solver, written apart from the graph."""
