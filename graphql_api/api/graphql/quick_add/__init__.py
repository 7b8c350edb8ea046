"""Quick add: one line of text becomes a task."""
