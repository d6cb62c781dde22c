"""Searches that are one long training run; each module without underscore is one of them."""
