"""Access tokens, and the scope that each field declares."""
