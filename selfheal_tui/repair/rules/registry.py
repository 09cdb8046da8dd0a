"""The explicit list of rule modules; a module that is not listed here does not run.

Each listed module exposes `RULES: tuple[Rule, ...]`. Modules are imported on first use only, because
rules load libraries that `selfheal --help` must not pay for. The order here breaks ties between
candidates of equal confidence.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module

from selfheal_tui.repair.rules.rule import Rule

MODULES: tuple[str, ...] = (
    # moved and removed names come first: a table is better than likeness
    "moved",
    "moved_imports",
    # names
    "missing_import",
    "misspelt_attribute",
    "foreign_names",
    "misspelt_name",
    "unread_names",
    "enclosing_names",
    "wrong_import",
    "circular_import",
    "relative_import",
    "shadowed_module",
    "keyword_argument",
    "misspelt_key",
    "format_fields",
    "group_names",
    "key_as_attribute",
    "missing_self",
    "history_names",
    "history_attributes",
    "kindred_names",
    # values and calls
    "operand_types",
    "text_values",
    "text_methods",
    "converted_arguments",
    "set_operators",
    "unhashable_members",
    "json_values",
    "unbound",
    "unset_attributes",
    "counted_keys",
    "lenient_lookups",
    "sibling_guard",
    "sibling_conversions",
    "iteration",
    "none_results",
    "dropped_values",
    "none_upstream",
    "callables",
    "containers",
    "awaits",
    "generator_manager",
    "arguments",
    "swapped_arguments",
    "unpacking",
    "bounds",
    # guards and type tests that only a test can vouch for
    "quoted_names",
    "misplaced_members",
    "override_signatures",
    "sibling_keywords",
    "none_parameters",
    "none_guards",
    "type_branches",
    "lacking_items",
    "expected_exceptions",
    "widened_handlers",
    # what does not come to its end
    "loop_progress",
    "loop_standstill",
    "loop_interval",
    "loop_growth",
    "recursion_self",
    "recursion_arguments",
    "endless_waits",
    "no_cure",
)


@cache
def all_rules() -> tuple[Rule, ...]:
    """Loads every listed module.

    Returns:
        Its rules, in the order of the list.

    Raises:
        ValueError: Two rules have the same name, which would mix up what is learnt about them.
    """
    rules: list[Rule] = []
    for module in MODULES:
        rules.extend(import_module(f"selfheal_tui.repair.rules.{module}").RULES)
    names = [rule.name for rule in rules]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ValueError(f"rule names must be unique; rename one of: {', '.join(sorted(double))}")
    return tuple(rules)
