"""Planned blocks that are kept."""
