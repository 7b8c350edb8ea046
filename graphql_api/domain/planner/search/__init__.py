"""The search for a schedule of low cost."""
