import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from segml.schema import NOT_ENOUGH_DATA, DataError
from segml.schemes import Expression

YES, NO, UNKNOWN = True, False, None

BASE = pd.DataFrame(
    {
        "revenue_365d": [1_000_000.0, 999_999.99, 0.0, -5.0, np.nan],
        "revenue_90d": [50_000.0, 100_000.0, 0.0, 0.0, 10.0],
        "orders": [1, 2, 3, 4, 5],
        "lifecycle": pd.Categorical(["stagnating", "active", "new", NOT_ENOUGH_DATA, "active"]),
        "регион": ["Север", "Юг", None, "Север", "Юг # 2"],
        "is_strategic": pd.array([True, False, None, True, False], dtype="boolean"),
        "potential": np.full(5, np.nan),
        "as_of": pd.Timestamp("2025-07-01"),
        "mixed": pd.Series([1, "a", None, 2, "b"], dtype="object"),
    }
)


def truth(text: str, frame: pd.DataFrame = BASE) -> list[bool | None]:
    result = Expression(text).evaluate(frame)
    assert result.dtype == "boolean"
    return [None if value is pd.NA else bool(value) for value in result]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("revenue_365d >= 1_000_000", [YES, NO, NO, NO, UNKNOWN]),
        ("revenue_365d > 1_000_000", [NO, NO, NO, NO, UNKNOWN]),
        ("revenue_365d <= 0", [NO, NO, YES, YES, UNKNOWN]),
        ("revenue_365d < -4.5", [NO, NO, NO, YES, UNKNOWN]),
        ("revenue_365d == 0", [NO, NO, YES, NO, UNKNOWN]),
        ("revenue_365d != 0", [YES, YES, NO, YES, UNKNOWN]),
        ("revenue_365d in [0, -5]", [NO, NO, YES, YES, UNKNOWN]),
        ("orders not in (1, 2, 3)", [NO, NO, NO, YES, YES]),
        ("1 < orders <= 3", [NO, YES, YES, NO, NO]),
        ("3 >= orders > 1 < 2", [NO, YES, YES, NO, NO]),
        ('lifecycle == "active"', [NO, YES, NO, UNKNOWN, YES]),
        ("lifecycle != 'active'", [YES, NO, YES, UNKNOWN, NO]),
        ('lifecycle not in ["active", "new"]', [YES, NO, NO, UNKNOWN, NO]),
        ('регион == "Север"', [YES, NO, UNKNOWN, YES, NO]),
        ('регион in ["Юг # 2"]', [NO, NO, UNKNOWN, NO, YES]),
        ("is_strategic", [YES, NO, UNKNOWN, YES, NO]),
        ("not is_strategic", [NO, YES, UNKNOWN, NO, YES]),
        ("is_strategic == (orders < 2)", [YES, YES, UNKNOWN, NO, YES]),
        ("is_known(lifecycle)", [YES, YES, YES, NO, YES]),
        ("not is_known(регион)", [NO, NO, YES, NO, NO]),
        ("is_known(as_of)", [YES] * 5),
    ],
)
def test_comparisons_are_exact_at_their_borders(text: str, expected: list[bool | None]) -> None:
    assert truth(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("revenue_365d > 10 and orders < 5", [YES, YES, NO, NO, NO]),
        ("revenue_365d > 10 and orders > 0", [YES, YES, NO, NO, UNKNOWN]),
        ("revenue_365d > 10 or orders > 4", [YES, YES, NO, NO, YES]),
        ("revenue_365d > 10 or orders > 9", [YES, YES, NO, NO, UNKNOWN]),
        ("not revenue_365d > 10", [NO, NO, YES, YES, UNKNOWN]),
        ("not (revenue_365d > 10 and orders < 5)", [NO, NO, YES, YES, YES]),
        ("revenue_365d < 0 or orders == 5 and is_strategic", [NO, NO, NO, YES, UNKNOWN]),
    ],
)
def test_unknown_values_follow_three_valued_logic(text: str, expected: list[bool | None]) -> None:
    assert truth(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("revenue_90d / revenue_365d < 0.1", [YES, NO, UNKNOWN, YES, UNKNOWN]),
        ("1 / 0 > 1", [UNKNOWN] * 5),
        ("0 / orders == -0", [YES] * 5),
        ("orders * 2 - 1 == orders + 1", [NO, YES, NO, NO, NO]),
        ("-orders + 2 * (orders - 1) > 2", [NO, NO, NO, NO, YES]),
        (f"orders < {10**600}", [YES] * 5),
        (f"-{10**600} < orders", [YES] * 5),
        ("orders * 1e308 * 10 > 1", [YES] * 5),
    ],
)
def test_arithmetic_is_that_of_numbers_and_division_by_zero_is_unknown(text: str, expected: list[bool | None]) -> None:
    assert truth(text) == expected


def test_a_column_that_holds_nothing_is_unknown_whatever_it_is_compared_with() -> None:
    for text in ("potential > 1", 'potential == "x"', 'potential in ["x"]', "potential", "potential == potential"):
        assert truth(text) == [UNKNOWN] * 5
    assert truth("is_known(potential)") == [NO] * 5


def test_names_come_once_in_order_of_appearance() -> None:
    assert Expression("b > 1 and (a > b or is_known(c)) and not a").names == ("b", "a", "c")


def test_the_index_is_that_of_the_frame_and_the_frame_is_unchanged() -> None:
    frame = BASE.set_index(pd.Index(list("vwxyz")))
    before = frame.copy(deep=True)
    assert Expression("orders > 3").evaluate(frame).index.tolist() == list("vwxyz")
    pd.testing.assert_frame_equal(frame, before)


def test_no_rows_give_no_truths() -> None:
    assert truth('revenue_365d > 1 and lifecycle == "new"', BASE.iloc[:0]) == []


def test_line_breaks_are_blanks() -> None:
    assert Expression("\n orders > 1\n and\torders < 3\n").text == "orders > 1  and orders < 3"


@pytest.mark.parametrize(
    ("text", "where", "problem"),
    [
        ("", "at column 1, at the end", "there is no condition"),
        ("orders >", "at column 9, at the end", "invalid syntax"),
        ("orders > 1 2", r"at column 12, near '2'", "invalid syntax"),
        ("orders = 1", r"at column 8, near '= 1'", "write == to compare"),
        ("(orders > 1", r"at column 1, near '\(orders > 1'", "never closed"),
        ("ключ.x > 1", r"at column 1, near 'ключ.x > 1'", "an attribute is not allowed"),
        ('"я" == a and open("x")', r"at column 14, near 'open\(\"x\"\)'", r"a call other than is_known\(name\)"),
        ("is_known(a, b)", "at column 1", "a call other than"),
        ("is_known(1)", "at column 1", "a call other than"),
        ("is_known(is_known)", "at column 1", "a call other than"),
        ("is_known > 1", "at column 1", "this is not allowed"),
        ("a[0] > 1", "at column 1", "an index is not allowed"),
        ("a > 1 if b else c", "at column 1", "if … else is not allowed"),
        ('a == f"{b}"', "at column 6", "an f-string is not allowed"),
        ("a > (b := 1)", "at column 6", "an assignment is not allowed"),
        ("a == [1]", "at column 6", "a list that does not follow in is not allowed"),
        ("lambda: a", "at column 1", "this is not allowed"),
        ("{a for a in b}", "at column 1", "this is not allowed"),
        ("a ** 2 > 1", "at column 1", "this is not allowed"),
        ("a % 2 == 1", "at column 1", "this is not allowed"),
        ("~a", "at column 1", "this is not allowed"),
        ("a == 1j", "at column 6", "neither a number nor text"),
        ('a == b"x"', "at column 6", "neither a number nor text"),
        ("a is b", "at column 1", r"write == or is_known\(name\)"),
        ("a == None", "at column 6", r"None is not needed.*is_known\(name\)"),
        ("a == True", "at column 6", "True is not needed"),
        ('a == "not enough data"', "at column 6", r"write not is_known\(name\)"),
        ('"a" in b', "at column 8", "in is followed by a list"),
        ("a in []", "at column 6", "in is followed by a list"),
        ("a in [b]", "at column 7", "nothing but numbers and text"),
        ('a in ["x", 1]', "at column 1", "text is compared with a number"),
        ('a > 1 == "x"', "at column 5", "a number is compared with text"),
        ('a < "x"', "at column 5", "text stands where a number belongs"),
        ('-"x" == a', "at column 2", "text stands where a number belongs"),
        ("a and 1", "at column 7", "a number stands where true or false belongs"),
        ("(a > 1) + 1 > 2", "at column 2", "true or false stands where a number belongs"),
        ("a + 1", "at column 1", "gives a number, not true or false"),
        ('"x"', "at column 1", "gives text, not true or false"),
        ("a > 1 # and b", "at column 7", "a comment"),
        ("1or a", "at column 1", "invalid decimal literal"),
        ("a\u00a0> 1", "at column 2", r"U\+00A0"),
        ("a > 1\0", "at column 6", r"U\+0000"),
        ("a > \udc80", "at column 5", r"U\+DC80"),
    ],
)
def test_what_may_not_stand_in_a_rule_is_named_with_its_place(text: str, where: str, problem: str) -> None:
    with pytest.raises(ValueError, match=f"{where}.*{problem}"):
        Expression(text)


@pytest.mark.parametrize(
    "text",
    ["not " * 490 + "a", "-" * 1900 + "1 > a", "(" * 300 + "a" + ")" * 300, "a" + "+a" * 60 + " > 1", "a.b" * 500],
)
def test_depth_is_bounded(text: str) -> None:
    with pytest.raises(ValueError, match=r"deeper|parentheses|attribute|syntax"):
        Expression(text)


def test_length_is_bounded_and_many_conditions_side_by_side_are_fine() -> None:
    assert Expression(" or ".join(f"orders == {number}" for number in range(100))).evaluate(BASE).all()
    with pytest.raises(ValueError, match="2,001 characters; 2,000 are the most"):
        Expression("a" * 2001)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "orders > 1 and lifecycel == 'new'",
            r"at column 16, near .lifecycel == .*did you mean 'lifecycle'.*known are",
        ),
        ("is_known(zzz)", r"at column 10, near .zzz\).*no column is named 'zzz'; known are \['revenue_365d'"),
        ("lifecycle > 3", "at column 1, near 'lifecycle > 3': text stands where a number belongs"),
        ("orders > 1 and lifecycle == 3", "at column 16, near 'lifecycle == 3': text is compared with a number"),
        ('orders in ["1"]', "at column 1, .*a number is compared with text"),
        ("orders > 1 or orders", "at column 15, near 'orders': a number stands where true or false belongs"),
        ("lifecycle", "gives text, not true or false"),
        ("as_of == as_of", "a time cannot be compared"),
        ("as_of > 1", "a time stands where a number belongs"),
        ("mixed == 1", "column 'mixed' holds values of several kinds"),
    ],
)
def test_what_only_the_columns_can_tell_is_an_error_of_the_data(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Expression(text).evaluate(BASE)


WORDS = ["a", "b", "1", "2.5", '"x"', "and", "or", "not", "in", "(", ")", "[", "]", ",", "<", "<=", "==", "!=", "-"]
WORDS += ["+", "*", "/", "is_known(a)", "is", "None", "True", ".", ":=", "#", "\n", "lambda", "if", "else", "é", "\\"]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join))
@example("not " * 499 + "a")
@example("1" * 2000)
@example("0x" + "f" * 1990 + " > a")
def test_any_text_is_an_expression_or_a_value_error(text: str) -> None:
    try:
        expression = Expression(text)
    except ValueError:
        return
    nothing = pd.DataFrame(np.nan, index=[0, 1], columns=list(expression.names))
    assert len(expression.evaluate(nothing)) == 2


CONDITIONS = st.recursive(
    st.sampled_from(["a > 0", "a <= b", "b == 0", "a / b >= 1", "is_known(b)", "-1 < a < 2", "b in [1, -1]"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda parts: f"({' '.join(parts)})")
        | inner.map(lambda one: f"not {one}")
    ),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CONDITIONS, st.integers(-3, 3), st.integers(-3, 3).filter(bool))
def test_known_values_give_what_python_gives(text: str, a: int, b: int) -> None:
    expected = eval(text, {"is_known": lambda value: True, "a": a, "b": b})
    assert truth(text, pd.DataFrame({"a": [a], "b": [b]})) == [expected]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(CONDITIONS, st.integers(-3, 3).filter(bool), st.integers(-3, 3))
def test_what_is_told_without_a_value_holds_whatever_it_is(text: str, b: int, a: int) -> None:
    unknown = truth(text, pd.DataFrame({"a": [np.nan], "b": [b]}))
    if unknown != [None]:
        assert truth(text, pd.DataFrame({"a": [a], "b": [b]})) == unknown
