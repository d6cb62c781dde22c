"""Training one model on several processes, its tables sharded over them.

Imports torch: callers import it only inside a training process, through `evaluators._distributed.launch`.
"""
