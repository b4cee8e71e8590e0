"""What the services say to each other: subjects, messages, errors, streams, and typed requests over NATS."""
