"""Searchers and human-made baselines on one dataset: same seeds, same evaluator, same budget, same final training."""
