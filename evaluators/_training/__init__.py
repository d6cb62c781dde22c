"""Trains one candidate and measures it: the loop, the metrics and the child process around them.

The driver's side (`settings`, `child_process`, `exits`) is light; everything else imports torch and is
meant for the child or for a final training.
"""
