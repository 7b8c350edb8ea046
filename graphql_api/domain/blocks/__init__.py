"""Planned blocks that are kept, and the work that is done in them."""
