"""Faults done to real searches, one family a file, and the count of what each of them cost."""
