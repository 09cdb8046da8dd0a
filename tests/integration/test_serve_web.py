"""The console in a browser: only for whoever has its key, only from our own page, read-only unless told otherwise."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

aiohttp = pytest.importorskip("aiohttp")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory):
    root = tmp_path_factory.mktemp("web")
    (root / "app.py").write_text("print('hello')\n")
    (root / "selfheal.toml").write_text('environment = "dev"\n')
    command = [sys.executable, "-m", "selfheal_tui", "serve", "--root", str(root), "--web", "--web-port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stderr is not None
        seen = ""
        for line in process.stderr:
            seen += line
            found = re.search(r"http://\S+", line)
            if found:
                break
        else:
            pytest.fail(f"no address: {seen}")
        yield found[0]
        process.terminate()
        assert process.wait(30) == 0


def get(url: str, **headers: str) -> tuple[int, str]:
    async def ask() -> tuple[int, str]:
        async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
            return answer.status, await answer.text()

    return asyncio.run(ask())


def base(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def test_the_printed_address_opens_the_console(address):
    status, text = get(address)
    assert status == 200
    assert "selfheal" in text


@pytest.mark.parametrize("path", ["/", "/ws", "/static/css/xterm.css", "/?key=wrong", "/ws?key="])
def test_without_the_key_nothing_is_served(address, path):
    assert get(base(address) + path)[0] == 403


def test_a_page_of_another_site_is_refused_even_with_the_key(address):
    assert get(address, Origin="http://evil.example")[0] == 403
    assert get(address, Host="evil.example:8000")[0] == 403


def test_a_browser_sees_the_console_read_only(address):
    async def look() -> bytes:
        jar = aiohttp.CookieJar(unsafe=True)  # it keeps none for addresses otherwise
        async with aiohttp.ClientSession(cookie_jar=jar) as session:
            async with session.get(address) as answer:
                assert answer.status == 200
            url = base(address).replace("http", "ws") + "/ws?width=100&height=30"
            async with session.ws_connect(url, headers={"Origin": base(address)}) as socket:
                await socket.send_str(json.dumps(["resize", {"width": 100, "height": 30}]))
                seen = b""
                while b"read-only" not in seen:
                    message = await socket.receive(timeout=60)
                    assert message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT), message
                    seen += message.data if isinstance(message.data, bytes) else message.data.encode()
                return seen

    assert b"read-only" in asyncio.run(look())


def test_it_refuses_to_be_reached_from_other_machines(tmp_path: Path):
    command = [
        sys.executable,
        "-m",
        "selfheal_tui",
        "serve",
        "--root",
        str(tmp_path),
        "--web",
        "--web-host",
        "0.0.0.0",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 77
    assert "ssh -L" in done.stderr
