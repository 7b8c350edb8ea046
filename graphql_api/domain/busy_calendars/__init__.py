"""Calendars of others: their events are times that plans keep free."""
