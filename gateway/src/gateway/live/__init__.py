"""What happens now: a user's events from the broker, fanned out to the streams and sockets of this process."""
