"""Labels of trained candidates that carry their error: statistics of losses, in numpy, light to import."""
