"""How many batches it takes to order two sub-networks by their losses, with a baseline in place and without one."""
