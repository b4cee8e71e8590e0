"""The only public entry point: accounts, HTTP, SSE, WebSocket, and the page."""
