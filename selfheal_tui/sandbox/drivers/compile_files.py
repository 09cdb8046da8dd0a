"""Compiles files with the target interpreter and reports what it refuses. Runs nothing of the project.

Usage: `compile_files.py FD`; on stdin a line with a token, then a JSON list of paths; to the descriptor the token and a JSON object,
`{"problems": [[path, line, message], ...]}`. The cheapest rung of the proof ladder, so one process for all files.
"""

from __future__ import annotations

import json
import os
import sys
import warnings


def problem_of(path: str) -> list[object] | None:
    """Compiles one file; bytes, so that coding cookies and BOMs count as the interpreter counts them."""
    try:
        with open(path, "rb") as file:
            compile(file.read(), path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return [path, error.lineno or 1, error.msg or type(error).__name__]
    except Exception as error:  # null bytes, nesting too deep, a missing file: all mean that it cannot run
        return [path, 1, type(error).__name__ + ": " + str(error)]
    return None


def main(argv: list[str]) -> None:
    """Answers for every path."""
    warnings.simplefilter("ignore")
    token = sys.stdin.readline().strip()
    found = [problem for problem in map(problem_of, json.load(sys.stdin)) if problem]
    with os.fdopen(int(argv[1]), "w") as answer:
        answer.write(token + json.dumps({"problems": found}) + "\n")


if __name__ == "__main__":
    main(sys.argv)
