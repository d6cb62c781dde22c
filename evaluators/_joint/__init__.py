"""Two evaluators as one: what of a candidate its quality hangs on, what is measured once, and metrics of both."""
