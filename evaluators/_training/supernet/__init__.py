"""A supernet: weights that all candidates of a space share, and what samples, trains and scores them."""
