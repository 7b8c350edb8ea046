"""Plans: when each open task fits into a person's free time, and why there. Pure."""
