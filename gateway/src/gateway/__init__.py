"""The only door: accounts, HTTP, SSE, WebSocket, and the page."""
