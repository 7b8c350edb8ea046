"""The change feed: every write of a task leaves a change, in the same transaction."""
