"""Boosted trees on prepared data: how columns are given to them and how they are grown; the door of LightGBM."""
