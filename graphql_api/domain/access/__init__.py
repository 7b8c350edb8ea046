"""Access tokens: keys to a part of what a user may do, for programs."""
