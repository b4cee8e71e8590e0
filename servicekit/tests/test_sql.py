"""Named parameters are translated into asyncpg's numbered ones."""

import pytest

from servicekit.sql import Statement


def test_a_name_is_one_number_however_often_it_stands_there() -> None:
    statement = Statement("SELECT :b, :a::text, x[1:2], :b::int FROM t WHERE c = :a_1 AND d::text = 'e'")
    assert statement(a=1, b=2, a_1=3) == (
        *("SELECT $1, $2::text, x[1:2], $1::int FROM t WHERE c = $3 AND d::text = 'e'", 2, 1, 3),
    )


def test_a_statement_may_take_no_values() -> None:
    assert Statement("SELECT 1")() == ("SELECT 1",)


def test_a_value_that_is_missing_or_unknown_is_refused_by_its_name() -> None:
    statement = Statement("SELECT :a, :b")
    with pytest.raises(TypeError, match=":b"):
        statement(a=1)
    with pytest.raises(TypeError, match="c"):
        statement(a=1, b=2, c=3)
