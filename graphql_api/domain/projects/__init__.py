"""Projects: lists of a user's tasks, under a name."""
