"""Due days: days without a time, which begin and end where their user lives."""
