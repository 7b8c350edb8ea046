"""Plans of a user's open tasks: preview, apply, undo."""
