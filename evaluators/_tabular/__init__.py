"""Tables of finished trainings: their rows, the rungs that are read from their curves, and looking up."""
