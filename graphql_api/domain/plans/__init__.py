"""Plans of a user's open tasks: looked at, applied, undone."""
