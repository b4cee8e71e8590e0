"""Describes gaps in numbers that should count 1, 2, 3 …"""


def gaps(ids: list[int]) -> str:
    """The places where a number is not the successor of the previous one."""
    jumps = [f"{later} after {earlier}" for earlier, later in zip([0, *ids], ids, strict=False) if later != earlier + 1]
    return ", ".join(jumps[:5]) or "everything"
