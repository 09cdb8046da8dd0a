"""Code that looks wrong and is not: guards, versions, platforms, dynamic names. Nothing here may be reported."""

from __future__ import annotations

import os
import signal
import socket
import sys
import typing

import pytest
from helper import area

if typing.TYPE_CHECKING:
    from decimal import Decimal

try:
    import cPickle as pickle
except ImportError:
    import pickle

try:
    unicode
except NameError:
    unicode = str

if sys.version_info < (3,):
    text_type = basestring
    from urlparse import urljoin
else:
    from urllib.parse import urljoin

if sys.platform == "win32":
    import winreg_of_another_world

    os.startfle("x")

for name in ("red", "green"):
    globals()[name + "_light"] = name


def annotated(value: Decimal, other: "Undefined") -> Nowhere:
    return value or other


def windows_only():
    return os.startfile("x"), signal.CTRL_C_EVENT, socket.AF_SYSTEM


def asks_first():
    if hasattr(os, "getuid_of_nobody"):
        return os.getuid_of_nobody()
    return None


def marked():
    return undefined_on_purpose  # noqa: F821


def expected():
    with pytest.raises(TypeError):
        area(1, 2, 3)
    try:
        return "a" + 1
    except TypeError:
        return area(*[1, 2], **{"scale": 3})


def early_return():
    if sys.platform != "win32":
        return None
    return os.getcwwd()


def takes_one_and_stops(table=None):
    table = {"a": 1}
    for key in table:
        del table[key]
        break
    for key in list(table):
        del table[key]
    return table


def overridden(*args, **kwargs):
    return area(*args, **kwargs)


class Base:
    def value(self):
        raise NotImplementedError

    def grow(self, by):
        return self.value() + by

    def missing(self):
        return getattr(self, "elsewhere", None)


class Open:
    def __getattr__(self, name):
        return name

    def use(self):
        return self.anything


class Mixin:
    def both(self):
        return self.given_by_the_other


def conditional(flag):
    if flag:
        result = 1
    else:
        result = "a"
    return result + 1


def narrowed(value=None):
    found = None
    if value:
        found = value
    return found.attribute if found else None


def shadowed(len):
    return len(3)


async def answer():
    return {"key": 1}


async def awaited():
    return (await answer())["key"]


def formats(rest, names):
    return "{} {}".format(*rest), "%s %s" % rest, "{a}".format(**names), "{0} {0}".format(1), "%(a)s" % names, "%%" % ()


def deleted():
    here = 1
    del here
    here = 2
    return here


def in_comprehension(rows):
    return [cell for row in rows for cell in row if (last := cell)], last


def later_global():
    global made_later
    made_later = 1
    return made_later


def uses_made_later():
    return made_later
