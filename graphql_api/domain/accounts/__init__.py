"""User accounts: registration, login, sessions and tokens."""
