"""A race: searchers on one table over many seeds, judged by what their declared winners are truly worth."""
