"""HTTP of notes: thin requests to the notes service."""
