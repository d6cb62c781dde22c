"""A tabular benchmark: candidates of a small space, trained once and looked up ever after."""
