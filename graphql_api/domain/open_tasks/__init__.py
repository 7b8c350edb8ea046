"""Open tasks, as lists sort, filter and count them: a small item for each."""
