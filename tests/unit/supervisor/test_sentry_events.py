from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfheal_tui.model.kinds import ChainLink
from selfheal_tui.model.serial import from_builtins, to_builtins
from selfheal_tui.supervisor.sentry_events import CrashReport, crash_of

SECRET = "hunter2-correct-horse"
NOW = 1_800_000_000.0


def frame(function: str = "load", line: int = 3, **more: Any) -> dict[str, Any]:
    return {"abs_path": "/srv/app/a.py", "function": function, "lineno": line, "in_app": True, **more}


def value(kind: str = "ValueError", text: str = "boom", **more: Any) -> dict[str, Any]:
    return {"type": kind, "value": text, "stacktrace": {"frames": [frame()]}, **more}


def event(*values: Any, **more: Any) -> dict[str, Any]:
    return {"platform": "python", "exception": {"values": list(values)}, **more}


def crash(*values: Any, **more: Any) -> CrashReport:
    found = crash_of(event(*values, **more), now=NOW)
    assert found is not None
    return found


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
KEYS = [
    "type",
    "value",
    "module",
    "mechanism",
    "stacktrace",
    "frames",
    "vars",
    "lineno",
    "abs_path",
    "function",
]
SHAPED = st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, JSON))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["exception", "threads", "breadcrumbs", "tags", "contexts", "timestamp",
                                        "event_id", "request", "sdk", "logentry", "level"]), JSON))  # fmt: skip
def test_no_event_however_odd_raises(found: dict[str, Any]) -> None:
    crash_of(found)


@settings(max_examples=200, deadline=None)
@given(st.lists(SHAPED, min_size=1, max_size=4), SHAPED, JSON)
def test_odd_exceptions_become_reports_that_the_inbox_can_read(
    values: list[dict[str, Any]], odd: dict[str, Any], mechanism: Any
) -> None:
    whole = {**value(), "stacktrace": {"frames": [odd, frame(vars=odd)]}, "mechanism": mechanism}
    report = crash_of(event(*values, whole, tags=mechanism, breadcrumbs={"values": values}))
    if report is not None:
        sent = json.loads(json.dumps(to_builtins(report)).encode("utf-8", "strict"))
        assert from_builtins(sent, CrashReport).chain == report.chain


def test_messages_and_other_languages_are_no_crash() -> None:
    assert crash_of({"platform": "python", "message": "hello"}) is None
    assert crash_of({**event(value()), "platform": "javascript"}) is None
    assert crash_of(event()) is None


def test_the_raised_exception_comes_first_and_what_it_was_raised_from_after_it() -> None:
    raised = value("ToolError", "wrapped", module="app.errors")
    raised["stacktrace"]["frames"][0]["context_line"] = "    raise ToolError('wrapped') from error"
    report = crash(value("KeyError", "'k'"), raised)

    assert [(info.type, info.link) for info in report.chain] == [
        ("app.errors.ToolError", ChainLink.RAISED),
        ("KeyError", ChainLink.CAUSE),
    ]
    assert report.chain[1].evidence.name == "k"


def test_without_a_from_the_older_exception_is_only_context() -> None:
    report = crash(value("KeyError", "'k'"), value())

    assert report.chain[1].link is ChainLink.CONTEXT


def test_groups_are_read_off_the_ids_depth_first() -> None:
    def numbered(kind: str, number: int, parent: int | None, source: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {"type": "chained", "exception_id": number}
        if parent is not None:
            found |= {"parent_id": parent, "source": source}
        return value(kind, mechanism=found)

    group = numbered("ExceptionGroup", 0, None, None)
    first, inner = numbered("ValueError", 1, 0, "exceptions[0]"), numbered("KeyError", 2, 1, "__cause__")
    second = numbered("OSError", 3, 0, "exceptions[1]")
    report = crash(second, inner, first, group)

    assert [(info.type, info.link.value) for info in report.chain] == [
        ("ExceptionGroup", "raised"),
        ("ValueError", "group"),
        ("KeyError", "cause"),
        ("OSError", "group"),
    ]


def test_parents_that_form_a_ring_end() -> None:
    values = [value(mechanism={"exception_id": n, "parent_id": (n + 1) % 3}) for n in range(3)]

    assert len(crash(*values).chain) == 3


@pytest.mark.parametrize(
    ("mechanism", "kind", "handled"),
    [
        ({"type": "excepthook", "handled": False}, "exception", False),
        ({"type": "threading", "handled": False}, "thread", False),
        ({"type": "logging", "handled": True}, "logged", True),
        ({"type": "django", "handled": False}, "exception", False),
        ({}, "exception", True),
    ],
)
def test_mechanism_tells_what_was_captured(mechanism: dict[str, Any], kind: str, handled: bool) -> None:
    report = crash(value(mechanism=mechanism))

    assert (report.kind, report.process.handled) == (kind, handled)


def test_secrets_are_masked_on_every_level_of_vars_and_everywhere_else() -> None:
    found = frame(
        vars={
            "password": f"'{SECRET}'",
            "cfg": {"db": {"api_key": f"'{SECRET}'", "host": "'db1'"}, "list": [{"token": f"'{SECRET}'"}]},
            "url": f"'postgres://u:{SECRET}@db/x'",
        },
        context_line=f'password = "{SECRET}"',
    )
    report = crash(
        {**value(text=f"cannot log in with password='{SECRET}'"), "stacktrace": {"frames": [found]}},
        tags={"api_token": SECRET, "zone": "eu"},
        breadcrumbs={"values": [{"message": f"password={SECRET}"}]},
        request={"url": f"http://h/?token={SECRET}", "method": "GET"},
        logentry={"formatted": f"secret: {SECRET}"},
    )

    text = json.dumps(to_builtins(report))
    assert SECRET not in text
    assert "db1" in text
    assert report.context["tag.zone"] == "eu"


def test_nothing_that_would_be_run_opened_or_answered_is_taken_from_an_event() -> None:
    hostile = event(
        value(),
        extra={"sys.argv": ["rm", "-rf", "/"]},
        contexts={"runtime": {"name": "CPython", "version": "3.12.1", "build": "/bin/sh"}},
        process={"executable": "/bin/sh", "cwd": "/"},
        replay=[{"payload": "x"}],
        channel="/tmp/x",
        waits_until=1e12,
    )
    report = crash_of(hostile)

    assert report is not None
    process = report.process
    assert (process.executable, process.argv, process.cwd, process.sys_path) == ("", (), "", ())
    assert (report.replay, report.channel, report.waits_until) == ((), "", 0.0)


def test_vars_become_locals_with_the_types_that_their_text_shows() -> None:
    found = {"a": "None", "b": "'x'", "c": "12", "d": {"k": "1"}, "e": ["1", "2"], "f": "<app.Tool object at 0x7f>",
             "__file__": "'x'", "os": "<module 'os'>", "g": "something()"}  # fmt: skip
    report = crash({**value(), "stacktrace": {"frames": [frame(vars=found)]}})

    shown = {local.name: (local.type, local.size) for local in report.raised.frames[0].locals}
    assert shown == {
        "a": ("NoneType", None),
        "b": ("str", None),
        "c": ("int", None),
        "d": ("dict", 1),
        "e": ("", 2),
        "f": ("app.Tool", None),
        "g": ("", None),
    }


def test_bounds_hold_for_frames_locals_texts_and_crumbs() -> None:
    frames = [frame(line=n + 1, vars={f"v{i}": "x" * 9000 for i in range(100)}) for n in range(300)]
    report = crash(
        {**value(text="m" * 99_999), "stacktrace": {"frames": frames}},
        breadcrumbs={"values": [{"message": "c" * 999}] * 500},
        tags={f"t{i}": "v" * 9999 for i in range(500)},
    )

    info = report.raised
    assert (len(info.frames), info.frames[0].line, info.frames[-1].line) == (64, 1, 300)
    assert len(info.message) <= 4000
    assert all(len(f.locals) == 40 and len(f.locals[0].repr) <= 400 for f in info.frames)
    assert len(report.context) <= 50
    assert all(len(text) <= 2000 for text in report.context.values())


def test_times_of_wrong_clocks_are_replaced() -> None:
    assert crash(value(), timestamp="2026-11-22T06:35:34.230951Z").captured_at == pytest.approx(
        1795329334.230951
    )
    for wrong in ("never", -5, 1e300, NOW + 10**6, None, "9999-12-31T23:59:59+00:00"):
        assert crash(value(), timestamp=wrong).captured_at == NOW


def test_an_event_sent_twice_has_one_report_id() -> None:
    identity = "aa8effd5b4ed4c09a59b11a07086118e"

    assert crash(value(), event_id=identity).report_id == identity
    assert crash(value(), event_id="../../x").report_id != "../../x"
