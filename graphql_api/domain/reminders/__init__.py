"""Time in the change feed: reminders, and due dates that are reached."""
