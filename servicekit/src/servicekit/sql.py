"""SQL with named parameters for asyncpg, which knows numbered ones only.

    RENAME = Statement("UPDATE notes SET title = :title WHERE user_id = :user_id AND id = :note_id")
    await db.execute(*RENAME(user_id=user_id, note_id=note_id, title=title))

The names become numbers once, at import. A call only puts its values in order.
"""

import re
from typing import Any

NAME = re.compile(r"(?<![:\w]):([a-z]\w*)")
"""`:name`, but no cast (`::text`) and no slice (`[1:2]`)."""


class Statement:
    """A statement with named parameters. The same name may occur several times."""

    def __init__(self, sql: str) -> None:
        numbers: dict[str, int] = {}
        self.sql = NAME.sub(lambda match: f"${numbers.setdefault(match[1], len(numbers) + 1)}", sql)
        self.names = tuple(numbers)

    def __call__(self, **values: Any) -> tuple[Any, ...]:
        """The SQL and its arguments in order, for `db.fetch(*…)`. Raises `TypeError` for a missing or unknown name."""
        try:
            arguments = [values[name] for name in self.names]
        except KeyError as error:
            raise TypeError(f"no value for :{error.args[0]}") from None
        if len(values) != len(arguments):
            raise TypeError(f"no such parameters: {', '.join(sorted(values.keys() - self.names))}")
        return (self.sql, *arguments)
