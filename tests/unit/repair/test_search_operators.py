"""Slips of many kinds: the change that undoes each is among the single changes of the function."""

from __future__ import annotations

import ast

import pytest

from selfheal_tui.repair.search.generate import applied, offsets, pairs
from tests.unit.repair.searchlab import made, shape, shapes

SLIPS = {
    "boundary": ("while lo < hi:\n        lo += 1", "while lo <= hi:\n        lo += 1"),
    "operands": ("return prefix + text", "return text + prefix"),
    "precedence": ("return a - b / c", "return (a - b) / c"),
    "slice dropped": ("return total(items)", "return total(items[1:])"),
    "slice turned": ("return items[n:]", "return items[:n]"),
    "last for first": ("return items[0]", "return items[-1]"),
    "index order": ("return grid[row, col]", "return grid[col, row]"),
    "nested index order": ("return grid[row][col]", "return grid[col][row]"),
    "sort order": ("return sorted(items)", "return sorted(items, reverse=True)"),
    "sorting lost": ("return items", "return sorted(items)"),
    "sort key lost": ("return items", "return sorted(items, key=len)"),
    "copy lost": ("best = items", "best = items.copy()"),
    "off by one": ("return len(items)", "return len(items) - 1"),
    "text case": ("return 'UTC'", "return 'utc'"),
    "text of a sibling": ("a = 'x'\n    return a + 'y'", "a = 'x'\n    return a + 'x'"),
    "power lost": ("return side == area * 3", "return side ** 3 == area * 3"),
    "element for list": ("return [x for x in items]", "return [x for x in items][::-1]"),
    "wrong variable for expression": ("d = 1\n    return look(a) + b", "d = 1\n    return d + b"),
    "nothing for all": ("return []", "return [items]"),
    "one empty list": ("return []", "return [[]]"),
    "yield": ("for x in items:\n        yield x", "for x in items:\n        yield from x"),
    "elif": (
        "if a:\n        b = 1\n    if c:\n        b = 2\n    return b",
        "if a:\n        b = 1\n    elif c:\n        b = 2\n    return b",
    ),
    "return in the loop": (
        "n = 0\n    for x in items:\n        n += x\n        return n",
        "n = 0\n    for x in items:\n        n += x\n    return n",
    ),
    "statement after the loop": (
        "n = 0\n    for x in items:\n        n += x\n    m = n\n    return m",
        "n = 0\n    for x in items:\n        n += x\n        m = n\n    return m",
    ),
    "order of statements": (
        "a = b\n    c = a\n    return c",
        "c = a\n    a = b\n    return c",
    ),
    "missing return": (
        "n = 0\n    for x in items:\n        n += x",
        "n = 0\n    for x in items:\n        n += x\n    return n",
    ),
    "carried on": (
        "last = None\n    for x in items:\n        use(last)\n    return last",
        "last = None\n    for x in items:\n        use(last)\n        last = x\n    return last",
    ),
    "not collected": (
        "out = []\n    for x in items:\n        use(x)\n    return out",
        "out = []\n    for x in items:\n        use(x)\n        out.append(x)\n    return out",
    ),
    "fencepost": (
        "for x in items[:-1]:\n        out.append(x)\n    return out",
        "for x in items[:-1]:\n        out.append(x)\n    out.append(items[-1])\n    return out",
    ),
    "argument like its neighbour": ("return f(a[1:], b)", "return f(a[1:], b[1:])"),
    "argument of the recursion": ("return f(a, b)", "return f(a, b, items=items)"),
    "end of the recursion": (
        "return f(a, b // 2)",
        "if b <= 1:\n        return a\n    return f(a, b // 2)",
    ),
}


FREE = {
    "boundary": "lo, hi",
    "operands": "prefix, text",
    "slice turned": "items, n",
    "index order": "grid, row, col",
    "nested index order": "grid, row, col",
    "power lost": "side, area",
    "elif": "c",
    "fencepost": "items, out",
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_is_undone_by_one_of_the_single_changes(slip: str) -> None:
    wrong, right = (f"def f(a, b, {FREE.get(slip, 'items')}):\n    {body}\n" for body in SLIPS[slip])
    assert shape(right) in shapes(wrong)


def test_attributes_that_other_code_of_the_project_uses_are_tried_the_most_alike_first() -> None:
    _text, found = made(
        "def f(node):\n    return node.next_items\n", attributes=("size", "past_items", "next_items")
    )
    tried = [c.why for c in found if c.kinds == ("attribute",)]
    assert tried[0] == "`.next_items` becomes `.past_items`"
    assert all("next_items` becomes `.next_items" not in why for why in tried)


SOURCE = '''
def f(items, limit):
    """Adds them up to a limit of 3."""
    total = 0
    for number, item in enumerate(items):
        if number < limit and item != "no":
            total += item  # 3 of them
    return total
'''


def test_docstrings_and_comments_stay_as_they_are() -> None:
    text, found = made(SOURCE)
    assert found
    for change in found:
        after = applied(text, change)
        assert '"""Adds them up to a limit of 3."""' in after
        assert "# 3 of them" in after or change.kinds[0] in ("left-out", "condition")


def test_no_change_makes_a_special_case_of_a_value() -> None:
    text, found = made(SOURCE)
    ifs = sum(isinstance(n, ast.If) for n in ast.walk(ast.parse(text)))
    for change in found:
        try:
            tree = ast.parse(applied(text, change))
        except SyntaxError:
            continue
        assert sum(isinstance(n, ast.If) for n in ast.walk(tree)) <= ifs


def test_lines_that_did_not_run_are_left_alone() -> None:
    from selfheal_tui.repair.search.generate import Target, changes
    from tests.unit.repair.searchlab import target

    text = "def f(a):\n    if a > 3:\n        return a + 1\n    return a - 1\n"
    tree, whole = target(text, "f")
    ran = Target("lib.py", "f", whole.node, 1.0, {2: 1.0, 4: 1.0})
    assert not [c for c in changes(text, tree, ran) if c.line == 3]


def test_edits_in_characters_are_those_in_bytes() -> None:
    text, found = made("def f(a):\n    å = 'ü' + a\n    return å + a\n")
    for change in found:
        by_hand = text
        for start, end, new in sorted(offsets(text, change.edits), reverse=True):
            by_hand = by_hand[:start] + new + by_hand[end:]
        assert by_hand == applied(text, change)


def test_pairs_join_changes_that_do_not_touch_each_other() -> None:
    text, found = made("def f(a, b):\n    c = a < b\n    return c and a\n")
    both = list(pairs(found, 400))
    assert len(both) > 50
    for pair in both:
        applied(text, pair)
    joined = {applied(text, pair) for pair in both}
    assert "def f(a, b):\n    c = a <= b\n    return c or a\n" in joined
