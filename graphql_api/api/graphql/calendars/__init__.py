"""Calendars: feeds that calendar programs subscribe to."""
