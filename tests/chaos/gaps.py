"""Where numbers that should count 1, 2, 3 … do not."""


def gaps(ids: list[int]) -> str:
    """The places where the numbers do not follow on each other."""
    jumps = [f"{later} after {earlier}" for earlier, later in zip([0, *ids], ids, strict=False) if later != earlier + 1]
    return ", ".join(jumps[:5]) or "everything"
