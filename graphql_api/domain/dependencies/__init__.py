"""Dependencies between tasks."""
