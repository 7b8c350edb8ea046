"""Tasks: what is to be done, in which state it is, and how a list of them is read."""
