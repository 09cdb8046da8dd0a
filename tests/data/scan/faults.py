"""Faults that were put in on purpose, one a function; the comment names what the line raises."""

import collections
import datetime as datetime_module
import threading
import os
import helper
from helper import Store, area, fetch, note, pair
from helper import aera  # raises ImportError
import cPickle  # raises ModuleNotFoundError
from collections import Mapping  # raises ImportError

counter = 0


def undefined_name(items):
    return sum(itms)  # raises NameError


def missing_import():
    return datetime.now()  # raises NameError


def bump():
    counter += 1  # raises UnboundLocalError
    return counter


def early():
    print(total)  # raises UnboundLocalError
    total = 3
    return total


def stdlib_attribute(path):
    return os.path.joni(path, "x")  # raises AttributeError


def gone_attribute():
    return collections.Mapping  # raises AttributeError


def own_attribute():
    return helper.LIMTI  # raises AttributeError


def wrong_keyword():
    return area(1, 2, scal=3)  # raises TypeError


def too_many():
    return area(1, 2, 3)  # raises TypeError


def too_few():
    return area(1)  # raises TypeError


def no_await():
    return fetch("a")["key"]  # raises TypeError


def no_await_later():
    found = fetch("a")
    return found.get("key")  # raises AttributeError


def no_return(lines):
    result = note(lines, "x")
    return result[0]  # raises TypeError


def unpack_three():
    a, b, c = pair("a=b")  # raises ValueError
    return a, b, c


def text_and_number(n):
    return "total: " + len(n)  # raises TypeError


def loop_over_number(rows):
    for i in len(rows):  # raises TypeError
        print(i)


def format_missing(name):
    return "{} is {}".format(name)  # raises IndexError


def percent_missing(name):
    return "%s is %d" % (name,)  # raises TypeError


def shrink():
    table = {"a": 1, "b": 2}
    for key in table:  # raises RuntimeError
        del table[key]


def py2(table):
    rows = {}
    return rows.has_key("a")  # raises AttributeError


def half(rows):
    return [rows[i] for i in range(len(rows) / 2)]  # raises TypeError


class Box:
    def __init__(self, size):
        self.size = size

    def helper():
        return 1

    def grow(self):
        self.helper()  # raises TypeError
        return self.sizee + 1  # raises AttributeError


def make():
    return Store()  # raises TypeError


def append_result(x):
    values = []
    values = values.append(x)
    return values


def chained(x):
    values = [3, 1]
    ordered = values.sort()
    return ordered[0]  # raises TypeError


def key_list():
    return {[1, 2]: 3}  # raises TypeError


def missing_comma():
    return [("a", 1) ("b", 2)]  # raises TypeError


def join_numbers():
    return ",".join([1, 2, 3])  # raises TypeError


def not_implemented():
    raise NotImplemented("later")  # raises TypeError


def push():
    out = []
    out.push(3)  # raises AttributeError
    return out


def fstring(user):
    return f"{usr.name}"  # raises NameError


def class_of_the_same_name():
    return datetime_module.now()  # raises AttributeError


def misspelt_class():
    return threading.Thred()  # raises AttributeError


def fixed():
    point = (1, 2)
    point[0] = 3  # raises TypeError
    return point


def later(n):
    message = "n is " + n.bit_length() + 3
    return mesage  # raises NameError
