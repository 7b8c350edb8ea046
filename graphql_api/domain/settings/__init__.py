"""Settings: when a person works, by which clock."""
