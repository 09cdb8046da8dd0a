"""Says a diagnosis in plain words: the root cause in one sentence, and what to do about it.

Wording only: what a crash *is* was decided by the table in `signals`. Texts name the things involved and
promise nothing.
"""

from __future__ import annotations

import re

from selfheal_tui.model.kinds import Nature
from selfheal_tui.pipeline.facts import Facts
from selfheal_tui.pipeline.signals import Signal

_ADVICE: dict[str, str] = {
    "control-flow": "Nothing is to be fixed: the program was interrupted, cancelled, or ended itself.",
    "policy-refusal": "A rule of the program refused the action. That is what the rule is for: the healer never removes or "
    "bypasses it. Grant the approval or permission, or do without the action. If the rule itself is wrong, a person changes it.",
    "out-of-memory": "Look for data that is read whole instead of in parts, caches without a bound, and the machine's limits "
    "(container memory, ulimit -v). The healer never changes code on its own for this.",
    "disk-full": "Free space or raise the quota (`df -h`, `df -i`), then let the program go on.",
    "too-many-files": "Usually a file, socket or process is opened in a loop and never closed. Open it with `with`, or raise "
    "`ulimit -n` if so many are really needed.",
    "thread-exhaustion": "Threads or processes are started for every item of work. Use a pool with a fixed number of workers.",
    "pool-exhausted": "A connection is taken and not given back on some path (an exception, a missing `with`), or the pool is too small.",
    "resource-leak": "Close it with `with` (or `async with`), also when an exception is raised.",
    "credentials": "Check the key or password that the program was given, whether it has expired, and its rights. Code is not at fault.",
    "os-permission": "Check the owner and mode of the path and the user that the program runs as. The operator grants this, not the code.",
    "logging-failure": "The arguments of a logging call do not fit its format, or its handler is broken; the message is lost. "
    "Fit the number of `%s` to the arguments, and keep handlers open until the program ends.",
    "log-closed": "Something closes the log's stream (or stdout, in tests) while the logger still uses it. Close handlers last.",
    "audit-trail": "The record of this action was not written. Repair it first, then see what is missing in the trail.",
    "rate-limit": "The same call usually works after a pause. Retry with growing delays, and lower the number of calls in parallel.",
    "service-unavailable": "The other side is down for now. Retry with growing delays.",
    "name-resolution": "Check the host name in the configuration, the network and the DNS server.",
    "certificate": "Check the machine's clock and its certificate store; the other side's certificate may have expired.",
    "database-locked": "Another writer holds the lock. Keep transactions short, set a busy timeout, or retry.",
    "connection": "The other side is down, restarting, or not where the configuration says. Retry with growing delays.",
    "address-in-use": "Another process listens there already: end it, or use another port.",
    "would-block": "Try again later, or wait until it is ready.",
    "event-loop-blocked": "Inside `async def`, use `await` instead of `asyncio.run()` or `run_until_complete()`; run blocking "
    "code with `asyncio.to_thread()`.",
    "blocked-loop": "The stack shows what the loop was busy with. Run blocking calls with `asyncio.to_thread()`, use the asynchronous "
    "kind of the call (`asyncio.sleep`, an async client), or do long work in steps with `await asyncio.sleep(0)` between them.",
    "hang": "The stack shows where the thread stood; the other threads' stacks are in the report. Two threads in `acquire` usually wait "
    "for each other's lock; a `get`, `recv` or `join` without a timeout waits for somebody who has gone.",
    "event-loop-misuse": "Create and use the object inside the same `asyncio.run()`.",
    "deadlock": "Take locks in the same order everywhere, hold them briefly, and never call out while holding one.",
    "queue-full": "The consumer is slower than the producer. Let the producer wait (`put` with a timeout), drop by rule, or add consumers.",
    "timeout-network": "The other side or the network was slow. Retry, or raise the limit if that is normal for this call.",
    "endless-loop": "Either the loop never ends, since what its condition reads does not change on some path, or it only "
    "takes long. The interrupted frame is shown, not the watchdog that interrupted it.",
    "timeout": "Find what is slow before the limit is raised: blocking calls, work that grows with the data, waiting for something "
    "that has died. Then do less per step, do it in parallel, or raise the limit knowingly.",
    "worker-died": "A worker was killed (often for its memory) or crashed in native code. Look at its own output and the system log.",
    "slow": "Measure where the time goes (`python -X importtime`, `cProfile`) before changing anything.",
    "circular-import": "Move the import into the function that needs it, or the shared names into a third module.",
    "missing-dependency": "Install it into the program's environment (`python -m pip install …`) and declare it in the project's dependencies.",
    "missing-setting": "Set the variable in the program's environment, or in the file from which it is loaded.",
    "missing-file": "Put the file where the program expects it, or correct the configured path. The healer does not invent data.",
    "missing-method": "The method is promised by a base class and has no body here: somebody has to write it.",
    "recursion": "The function has no case in which it stops, or its argument does not get smaller on this path. Check the base case "
    "first; cyclic data needs a set of visited items.",
    "division-by-zero": "Decide what the result is when there is nothing to divide by; an invented default would hide the problem.",
    "assertion": "Either the assumption is wrong, or what was done before broke it. The assertion itself is not to be removed.",
    "none-value": "Common causes: a function that ends without `return`, a lookup that found nothing, a method that changes in place.",
    "encoding": "Name the encoding where the file or bytes are opened.",
    "not-callable": "Often a name that was overwritten (`list = …`), a module used instead of its class, or parentheses too many or missing.",
    "coroutine-misuse": "Calling an `async def` function gives a coroutine; `await` runs it and gives the result.",
    "changed-during-iteration": "Walk over a copy (`list(…)`), or collect the changes and apply them afterwards.",
}


def place(facts: Facts) -> str:
    """Names the suspect place as `function (path:line)`; empty when there is none."""
    if facts.frame is None:
        return ""
    where = f"{facts.frame.path or facts.frame.file}:{facts.frame.line}"
    return f"`{facts.frame.qualname}` ({where})" if facts.frame.qualname != "<module>" else where


def root_cause(signal: Signal, facts: Facts, expression: str, none_part: str) -> str:
    """Returns one sentence for the operator, with the names.

    Args:
        signal: The matching row.
        facts: The crash.
        expression: Source of the failing sub-expression, if known.
        none_part: Source of the sub-expression that was None, if known.
    """
    at = place(facts)
    where = f" in {at}" if at else ""
    sentence = _about_names(signal, facts, where) or _about_values(
        signal, facts, where, expression, none_part
    )
    if not sentence:
        message = facts.message.strip().splitlines()[0] if facts.message.strip() else "no message"
        sentence = (
            f"{signal.reason[0].upper()}{signal.reason[1:]}: {facts.error.bare_type}{where} ({message})"
        )
    return sentence + "."


def _about_names(signal: Signal, facts: Facts, where: str) -> str:
    name, owner = facts.identifier, facts.owner
    if signal.id.startswith("missing-attribute") and name and owner:
        kind = "Module" if re.match(r"(?:module|partially)", facts.message) else "Class"
        own = " of this project" if facts.owner_is_ours else ""
        return f"{kind} `{owner}`{own} has no `{name}`, which is used{where}"
    if signal.id == "undefined-name" and name:
        return f"The name `{name}` is used{where} but is neither defined nor imported there"
    if signal.id == "unbound-local" and name:
        return f"The local variable `{name}` is read{where} on a path on which it was not assigned"
    if signal.id == "missing-dependency" and facts.top_module:
        return f"The package `{facts.top_module}`, imported{where}, is not installed in the program's environment"
    if signal.id == "moved-stdlib-module":
        return f"The module `{facts.top_module}`, imported{where}, is no longer part of Python's standard library"
    if signal.id == "import-typo":
        return f"There is no module `{facts.top_module}`, imported{where}; `{facts.module_typo}` exists"
    if signal.id in ("import-project", "import-name") and name:
        return f"`{name}` cannot be imported{where}: {facts.message}"
    if signal.id == "missing-setting" and name:
        return f"The environment variable `{name}`, read{where}, is not set"
    if signal.id == "missing-file" and facts.missing_path:
        return f"`{facts.missing_path}`, needed{where}, does not exist"
    if signal.id == "file-typo":
        return f"`{facts.missing_path}`, opened{where}, does not exist; `{facts.path_typo}` does"
    return ""


def _about_values(signal: Signal, facts: Facts, where: str, expression: str, none_part: str) -> str:
    if signal.id == "none-value":
        if none_part:
            return f"`{none_part}` is None{where}, where an object is needed"
        return f"A value is None{where}, where an object is needed: {facts.message}"
    if signal.id == "missing-key":
        mapping = f" `{expression}`" if expression else ""
        return f"The key {facts.message or 'that was asked for'} is not in the mapping{mapping}{where}"
    if signal.id == "policy-refusal":
        return f"The program refused the action{where}: {facts.message}"
    if signal.id == "endless-loop":
        return f"The program's time limit ended what was running{where}: {facts.message or facts.error.bare_type}"
    if signal.id in ("timeout", "timeout-network"):
        return f"An operation took longer than its limit{where}: {facts.message or facts.error.bare_type}"
    if signal.id == "division-by-zero" and expression:
        return f"The divisor in `{expression}` is zero{where}"
    if signal.id == "out-of-range" and expression:
        return f"The index in `{expression}` lies outside the sequence{where}"
    if signal.id == "recursion" and facts.frame is not None:
        return f"`{facts.frame.qualname}` calls itself without end{where}"
    return ""


def explanation(signal: Signal, facts: Facts, extra: tuple[str, ...] = ()) -> str:
    """Returns the longer text: what is known beyond the root cause, and what to do.

    Args:
        signal: The matching row.
        facts: The crash.
        extra: Sentences that the analysis found, such as where a None came from.
    """
    parts = [*extra]
    if advice := _ADVICE.get(signal.id):
        parts.append(advice)
    parts.append(_fault(signal.nature, facts))
    return "\n".join(p for p in parts if p) or f"{signal.reason[:1].upper()}{signal.reason[1:]}."


def _fault(nature: Nature, facts: Facts) -> str:
    if nature is Nature.TRANSIENT:
        return "The world, not the code: it is retried, and no code is changed."
    if nature is Nature.EXTERNAL and facts.frame is None and facts.error.frames:
        return "No frame of the traceback is the project's own code, so there is nothing here that may be changed."
    if nature is Nature.EXTERNAL:
        return "The cure lies outside the code."
    if nature is Nature.POLICY:
        return "Policy did its job: this always asks a person and is never fixed automatically."
    return ""
