"""Requests to hosts that users name: only to public addresses, and within bounds."""
