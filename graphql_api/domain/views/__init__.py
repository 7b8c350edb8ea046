"""Saved views: a filter and an order of tasks, under a name."""
