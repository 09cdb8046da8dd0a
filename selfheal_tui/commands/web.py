"""`selfheal serve --web`: the console in a browser, by textual-serve; on loopback, read-only unless told otherwise.

A page of another site must not reach it: every request needs the key of the printed address (then kept as a cookie
that other sites' requests do not carry), the right `Host` (against DNS rebinding), and, where the browser names one,
our own `Origin`. Only whoever can read the terminal has the key.
"""

from __future__ import annotations

import hmac
import secrets
import shlex
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from selfheal_tui.commands import exits
from selfheal_tui.commands.common import fail, say

COOKIE = "selfheal-key"
MISSING = (
    "the console in a browser needs the extra `web`: install `selfheal-tui[web]` "
    "(with uv: `uv sync --extra web`), or use the console in a terminal: `selfheal`"
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def console_command(root: Path, flags: dict[str, str], *, decide: bool) -> str:
    """Returns the command line that a browser's console is started with.

    Args:
        root: The project.
        flags: Settings from the command line, by dotted key.
        decide: Whether it may decide.
    """
    words = [sys.executable, "-m", "selfheal_tui", "console", "--root", str(root)]
    if "environment" in flags:
        words += ["--env", flags["environment"]]
    return shlex.join(words if decide else [*words, "--read-only"])


def serve_web(host: str, port: int, command: str, *, until: threading.Event) -> None:
    """Serves the console to browsers until told to end.

    Args:
        host: A loopback address.
        port: Port; 0 takes a free one.
        command: From `console_command`.
        until: Set when it is to end.

    Raises:
        Failure: textual-serve is not installed, the address is not loopback, or the port is taken.
    """
    if host not in _LOOPBACK:
        fail(
            f"{host} is not this machine alone; the web console has no users and no encryption. Serve 127.0.0.1 and "
            "reach it through ssh: `ssh -L 8000:127.0.0.1:8000 HOST`",
            exits.REFUSED,
        )
    try:
        import asyncio

        from aiohttp import web
        from textual_serve.server import Server
    except ImportError:
        fail(MISSING, exits.USAGE)

    key = secrets.token_urlsafe(24)

    async def run() -> None:
        server = Server(command, host=host, port=port, title="selfheal")
        app = await server._make_app()
        app.on_startup.clear()
        runner = web.AppRunner(app, handle_signals=False, access_log=None)
        origin: list[str] = []
        app.middlewares.append(_guard(web, key, origin))
        await runner.setup()
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        named = f"[{host}]" if ":" in host else host
        server.port = bound
        server.public_url = f"http://{named}:{bound}"
        origin.append(server.public_url)
        say(f"selfheal: the console is at {server.public_url}/?key={key}")
        try:
            await asyncio.to_thread(until.wait)
        finally:
            await runner.cleanup()

    try:
        asyncio.run(run())
    except OSError as error:
        fail(
            f"port {port} of {host} cannot be used ({error.strerror}); name another with --web-port",
            exits.REFUSED,
        )


def _guard(web: Any, key: str, origin: list[str]) -> Any:
    @web.middleware  # type: ignore[untyped-decorator]  # aiohttp is an extra
    async def guard(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        allowed = origin[0].removeprefix("http://") if origin else ""
        if (
            request.host != allowed
            or request.headers.get("Origin", origin[0] if origin else "") not in origin
        ):
            raise web.HTTPForbidden(text="this console is for this machine's own pages only")
        asked = request.query.get("key", "")
        if hmac.compare_digest(asked.encode(), key.encode()):
            if request.path != "/":
                return await handler(request)
            response = await handler(request)
            response.set_cookie(COOKIE, key, httponly=True, samesite="Strict")
            return response
        if not hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), key.encode()):
            raise web.HTTPForbidden(text="open the address that `selfheal serve --web` printed, with its key")
        return await handler(request)

    return guard
