"""Files of finished trials of any origin: which rows count, which columns are choices, and why the rest is left out."""
