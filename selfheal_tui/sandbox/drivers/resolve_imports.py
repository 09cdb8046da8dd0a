"""Tries import statements in the target interpreter, one JSON line for each.

Usage: `resolve_imports.py FD`, on stdin a line with a token, then `{"statements": [...], "sys_path": [...]}`. Importing runs code of the project and of
others, which is why this happens inside the walls only. Lines of the token and `{"index": n, "ok": bool, "problem": text}` are written as
they are known: when an import ends the process, the supervisor still knows which one did.
"""

from __future__ import annotations

import ast
import json
import os
import sys


def attempt(statement: str) -> str:
    """Runs one import statement; returns why it does not work, or nothing."""
    try:
        body = ast.parse(statement).body
    except (SyntaxError, ValueError) as error:
        return "not a statement: " + str(error)
    if len(body) != 1 or not isinstance(body[0], (ast.Import, ast.ImportFrom)):
        return "not one import statement"
    if isinstance(body[0], ast.ImportFrom) and body[0].level:
        return "not an absolute import"
    try:
        exec(compile(statement, "<import>", "exec", dont_inherit=True), {"__name__": "selfheal_import_probe"})
    except SystemExit:
        return "importing it ends the program (SystemExit)"
    except BaseException as error:
        return type(error).__name__ + ": " + str(error)[:500]
    return ""


def main(argv: list[str]) -> None:
    """Answers for every statement, then leaves at once: imported code may have started threads."""
    number = int(argv[1])
    os.set_inheritable(number, False)
    token = sys.stdin.readline().strip()
    question = json.load(sys.stdin)
    sys.argv = [""]
    sys.path[0:1] = question["sys_path"]
    os.dup2(2, 1)
    for index, statement in enumerate(question["statements"]):
        problem = attempt(statement)
        line = token + json.dumps({"index": index, "ok": not problem, "problem": problem}) + "\n"
        os.write(number, line.encode("utf-8"))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv)
