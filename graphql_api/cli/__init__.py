"""What an operator does apart from serving: a user's data as a file, the older program's tables."""
