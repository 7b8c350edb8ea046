"""Operator commands: create tables, export, import, migrate from the legacy service."""
