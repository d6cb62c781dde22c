"""Learning tests: what is planted in data, and whether a block that can say it learns it."""
