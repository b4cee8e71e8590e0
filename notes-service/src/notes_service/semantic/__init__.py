"""Semantic search, if an embeddings model is set: notes are indexed in the background, and found in addition to the
matches of full-text search. Without the setting, nothing of it is in the database."""
