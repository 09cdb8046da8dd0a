"""Anti-unification and terms: what is general covers both, and filling its holes gives either back."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfheal_tui.source.antiunify import antiunify, renumbered
from selfheal_tui.source.terms import (
    Hole,
    NotATermError,
    Term,
    dump,
    fill,
    holes,
    load,
    match,
    to_code,
    to_term,
    to_tree,
)

NAMES = st.sampled_from(["a", "b", "items", "self", "len"])
ATOMS = NAMES | st.sampled_from(["1", "2.5", "'x'", "None", "...", "b'y'", "-1", "(1, 2)", "[]", "{}"])
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}({}, {})".format, NAMES, inner, inner),
        st.builds("({}).{}".format, inner, NAMES),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "<", "and", "is not"]), inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}({}={})".format, NAMES, NAMES, inner),
        st.builds("[{} for {} in {}]".format, inner, NAMES, inner),
    ),
    max_leaves=8,
)


def term(code: str) -> Term:
    return to_term(ast.parse(code, mode="eval").body)


@given(EXPRESSIONS, EXPRESSIONS)
def test_the_generalisation_covers_both_and_its_holes_give_both_back(one: str, other: str) -> None:
    left, right = term(one), term(other)
    general = antiunify(left, right)
    assert fill(general.template, general.left) == left
    assert fill(general.template, general.right) == right
    assert match(general.template, left) == general.left
    assert match(general.template, right) == general.right


@given(EXPRESSIONS, EXPRESSIONS, EXPRESSIONS)
def test_it_is_the_least_general_of_what_covers_both(one: str, other: str, third: str) -> None:
    left, right = term(one), term(other)
    general = antiunify(left, right).template
    wider = antiunify(antiunify(left, term(third)).template, right).template
    # Any template that covers both covers their least general generalisation.
    if match(wider, left) is not None and match(wider, right) is not None:
        assert _covers(wider, general)


def _covers(wide: Term, narrow: Term) -> bool:
    """Matching with the holes of the narrower one taken for constants."""
    found: dict[int, Term] = {}

    def walk(a: Term, b: Term) -> bool:
        if isinstance(a, Hole):
            return found.setdefault(a.number, b) == b
        children, others = getattr(a, "children", None), getattr(b, "children", None)
        if children is None or others is None:
            return a == b
        return (
            a.label == b.label  # type: ignore[union-attr]
            and len(children) == len(others)
            and all(walk(x, y) for x, y in zip(children, others, strict=True))
        )

    return walk(wide, narrow)


@given(EXPRESSIONS)
def test_equal_terms_generalise_to_themselves(code: str) -> None:
    assert antiunify(term(code), term(code)).template == term(code)


@given(EXPRESSIONS)
def test_a_term_survives_json_and_the_way_to_code_and_back(code: str) -> None:
    made = term(code)
    assert load(dump(made)) == made
    assert term(to_code(made)) == made
    assert ast.dump(to_tree(made)) == ast.dump(to_tree(term(to_code(made))))


def test_what_differs_alike_is_one_hole() -> None:
    general = antiunify(term("find(a, a, b)"), term("find(c, c, b)")).template
    assert to_code(general) == "find(_0, _0, b)"
    assert match(general, term("find(x, y, b)")) is None


def test_holes_are_numbered_by_appearance() -> None:
    made = antiunify(term("f(a)(b)"), term("g(a)(c)")).template
    assert renumbered(made) == made
    assert list(holes(made)) == [0, 1]


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"hole": "x"}', "not json", "[[]]"])
def test_what_is_no_term_is_refused(text: str) -> None:
    with pytest.raises(NotATermError):
        load(text)


def test_an_endless_expression_is_refused() -> None:
    with pytest.raises(NotATermError):
        term("+".join(["a"] * 300))
