"""Notes over HTTP: each route is one request to the notes service."""
