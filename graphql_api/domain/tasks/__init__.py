"""Tasks: their fields, lists, urgency and writes."""
