"""The planner: schedules tasks into free time. Pure, and independent of the rest of the program."""
