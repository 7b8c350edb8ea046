"""Quick add: one line of text becomes a task. Pure, but for the service."""
