"""Tests of `evaluators._datasets`."""
