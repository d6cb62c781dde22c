"""How close the model of a cluster comes to published runs, and the coefficients that it ships with."""
