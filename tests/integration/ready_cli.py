"""A process that has loaded the command line and forks itself for each command: saves the loading, some 0.3 s each.

    python ready_cli.py

Reads one JSON line for each command (arguments, folder, environment, files for the three streams) and answers with
its exit code. Each command still runs in a process, folder and environment of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback

from selfheal_tui import cli


def run(order: dict) -> None:
    """Becomes the command; never returns."""
    code = 70
    try:
        os.chdir(order["cwd"])
        os.environ.clear()
        os.environ.update(order["environ"])
        for number, (name, flags) in enumerate(
            zip(order["streams"], (os.O_RDONLY, os.O_WRONLY, os.O_WRONLY), strict=True)
        ):
            descriptor = os.open(name, flags)
            os.dup2(descriptor, number)
            os.close(descriptor)
        sys.argv = ["selfheal", *order["arguments"]]
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        code = 1
    finally:
        os._exit(code)


def main() -> None:
    for module, _ in cli.COMMANDS.values():
        if module in ("incidents", "show", "history", "backups"):
            importlib.import_module(f"selfheal_tui.commands.{module}")
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            answers.detach()
            run(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


if __name__ == "__main__":
    main()
