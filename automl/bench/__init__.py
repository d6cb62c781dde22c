"""Benchmarks: every figure of speed, memory and quality in `docs/benchmarks` comes from one of these."""
