"""A model of a training cluster: the seconds of a step, term by term, some fitted to published runs."""
