"""The contracts between the services: subjects, messages, errors, streams, and typed requests over NATS."""
