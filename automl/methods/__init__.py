"""One method a file: searches that are one long training run, and read out candidates at its end."""
