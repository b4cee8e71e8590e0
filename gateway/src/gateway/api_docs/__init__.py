"""`/docs`: Swagger UI on the OpenAPI document.

FastAPI's own page loads Swagger UI from a CDN and starts it by an inline script, which the content security policy
forbids. Here all files are the gateway's: those of Swagger UI come with the package fastapi-offline.
"""
