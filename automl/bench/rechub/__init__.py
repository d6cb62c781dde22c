"""Training speed beside torch-rechub, a library of ranking models with a training loop of its own."""
