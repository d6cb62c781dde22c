"""How fast and how faithful the evaluator is beside a plain loop and beside what the machine allows."""
