"""The choke point where secrets are taken out of everything that is stored.

One walk over decoded JSON, so that no facet can forget it. Two kinds of strings pass unchanged: the new
file texts of candidates, which must be byte-exact to be applied (they lie only in private files), and
hashes and ids in fields that hold nothing else, which a mask for random-looking keys would destroy.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from selfheal_tui.model.serial import to_builtins
from selfheal_tui.probe.redaction import mask_text, mask_value

_ID_FIELDS = frozenset(
    {
        "ast_key", "backup_id", "before_sha256", "after_sha256", "binding", "blob", "candidate_id",
        "fingerprint", "hash", "incident_id", "issue_hash", "patch_sha256", "policy_version", "previous",
        "report_id", "request_id", "sha256", "transaction_id",
    }
)  # fmt: skip
_ID = re.compile(r"[0-9a-f]{4,64}|[0-9a-f-]{36}")
_OPTION = re.compile(r"--?[A-Za-z][\w-]*")
_FREE_FORM = frozenset({"context", "data", "extra"})
"""Mappings whose keys the program or a caller chose, so that a key may name a secret."""


def clean_text(text: str) -> str:
    """Masks secrets, and escapes lone surrogates, which JSON has no bytes for."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "backslashreplace").decode()
    return mask_text(text)


def clean(value: Any) -> Any:
    """Masks every string of a model value.

    Args:
        value: Any value of the model, or JSON types.

    Returns:
        The same in JSON types, masked.
    """
    return _clean(to_builtins(value), free_form=False)


def clean_data(value: Any) -> Any:
    """Masks a mapping whose keys a caller chose, by name as well as by shape; what JSON cannot say is text."""
    return _clean(msgspec.to_builtins(value, str_keys=True, enc_hook=str), free_form=True)


def _clean(value: Any, *, free_form: bool) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list | tuple):
        # A command line: what follows `--password` is one, whatever it looks like.
        before = [None, *value]
        return [
            mask_value(option.lstrip("-"), item)
            if isinstance(item, str) and isinstance(option, str) and _OPTION.fullmatch(option)
            else _clean(item, free_form=free_form)
            for option, item in zip(before, value, strict=False)
        ]
    if isinstance(value, dict):
        cleaned = {
            clean_text(str(k)): _clean_item(str(k), item, free_form=free_form) for k, item in value.items()
        }
        if isinstance(cleaned.get("name"), str) and isinstance(cleaned.get("repr"), str):
            cleaned["repr"] = mask_value(cleaned["name"], cleaned["repr"])
        return cleaned
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        return str(value)  # JSON libraries disagree about larger ones
    return value


def _clean_item(name: str, item: Any, *, free_form: bool) -> Any:
    if name == "edits" and not free_form:
        return item
    if isinstance(item, str):
        if name in _ID_FIELDS and _ID.fullmatch(item):
            return item
        cleaned = clean_text(item)
        return mask_value(name, cleaned) if free_form else cleaned
    if name in _ID_FIELDS:
        return _clean_ids(item)
    return _clean(item, free_form=free_form or name in _FREE_FORM)


def _clean_ids(item: Any) -> Any:
    """A fingerprint or binding: an id field that holds a structure of ids."""
    if isinstance(item, dict):
        return {
            k: v if isinstance(v, str) and _ID.fullmatch(v) else _clean_item(k, v, free_form=False)
            for k, v in item.items()
        }
    return _clean(item, free_form=False)
