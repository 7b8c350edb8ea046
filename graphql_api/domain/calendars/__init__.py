"""Calendars: feeds of what is planned and due, and calendars whose events are busy times."""
