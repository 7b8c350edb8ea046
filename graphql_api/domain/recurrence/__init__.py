"""Recurrence: rules, the days and instants that they give, and their words. Pure."""
