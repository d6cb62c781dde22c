"""How well predictors order the trials of a file that nobody has seen before."""
