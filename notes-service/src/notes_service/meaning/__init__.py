"""Search by meaning, where an embeddings model is set: notes are learnt in the background, and found beside those that
have the words. Without the setting the database has no trace of it."""
