# ruff: noqa: PTH120, PTH123 (a bare interpreter has not imported `pathlib`)
"""An interpreter that has started and forks itself for each program: saves the start, some 50 ms each.

    python ready_python.py ORDERS ANSWERS [probe|plain] [MODULE ...]

Two file descriptors: orders come in (one marshalled dictionary each), exit codes go out, one a line. Each program
still runs in a process of its own, and its process ends as an interpreter does. Nothing is imported but the probe,
if asked for, and the named modules, which the programs import first of all, so that a program sees the modules it
would see at a prompt.
"""

from __future__ import annotations

import marshal  # built in, and loaded by the interpreter's own start
import os
import sys

PROBE = sys.argv[3] == "probe"
if PROBE:
    import json
    import runpy

    from selfheal_tui.probe.capture import capture_exception
for name in sys.argv[4:]:
    __import__(name)


def become(order: dict) -> None:
    """Takes on folder, arguments and streams of a program."""
    os.chdir(order["cwd"])
    for number in (1, 2):
        descriptor = os.open(order["streams"][number - 1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.argv[:] = [order["script"]]


def run_plainly(order: dict) -> int:
    """Runs a script as `python SCRIPT` does; a crash is reported by the interpreter's own hook."""
    script = order["script"]
    sys.path[0] = os.path.dirname(script)
    main = type(sys)("__main__")
    main.__dict__.update(__file__=script, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main
    try:
        with open(script, "rb") as file:
            code = compile(file.read(), script, "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        crash = error
    else:
        return 0
    crash.__traceback__ = (
        crash.__traceback__.tb_next if crash.__traceback__ else None
    )  # without this function
    sys.excepthook(type(crash), crash, crash.__traceback__)
    return 1


def run_probed(order: dict) -> int:
    """Runs a script and writes what the probe captures of its crash."""
    sys.path[0] = order["cwd"]
    try:
        runpy.run_path(order["script"], run_name="__main__")
    except BaseException as error:
        with open(order["out"], "w", encoding="utf-8") as file:
            json.dump(capture_exception(error, root=order["cwd"]), file)
    return 0


def serve() -> int:
    """Answers orders until there are no more; in a child, returns once as the program's exit code."""
    orders = os.fdopen(int(sys.argv[1]), "rb")
    answers = int(sys.argv[2])
    while True:
        try:
            order = marshal.load(orders)
        except EOFError:
            return 0
        child = os.fork()
        if child == 0:
            orders.close()
            os.close(answers)
            become(order)
            return run_probed(order) if PROBE else run_plainly(order)
        _, status = os.waitpid(child, 0)
        os.write(answers, b"%d\n" % os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    sys.exit(serve())
