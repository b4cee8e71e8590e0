"""Search by meaning, where an embeddings model is set: notes are indexed in the background, and found beside those that
have the words of a search. Without the setting there is no trace of it in the database."""
