"""Subtasks: tasks below others, in up to four levels."""
