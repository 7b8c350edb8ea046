"""Archives: all that is a user's, as a document to keep and to import."""
