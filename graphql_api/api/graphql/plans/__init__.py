"""GraphQL types and operations of plans."""
