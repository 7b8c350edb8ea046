"""User settings: time zone, working hours, days off and urgency coefficients."""
