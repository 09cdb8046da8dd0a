"""Command line: `python -m agent TASK`."""

import argparse
import sys

from agent.orchestrator import Orchestrator
from agent.settings import load_settings
from agent.tasks import TASKS


def main(argv=None):
    parser = argparse.ArgumentParser(prog="agent", description="Run one task of the newsdesk agent.")
    parser.add_argument("task", nargs="?", choices=sorted(TASKS), metavar="TASK", help="what to do")
    parser.add_argument("--list", action="store_true", help="list the tasks and stop")
    options = parser.parse_args(argv)
    if options.list or not options.task:
        for name in sorted(TASKS):
            print(f"{name:12} {TASKS[name].__doc__}")
        return 0
    orchestrator = Orchestrator(load_settings())
    print(orchestrator.run(options.task))
    return 0


if __name__ == "__main__":
    sys.exit(main())
