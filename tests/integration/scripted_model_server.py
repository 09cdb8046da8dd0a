"""An OpenAI-compatible server on the loopback interface that answers what a test scripted, and keeps every request."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One scripted answer.

    `hang` never answers; `endless` sends headers and then blanks for ever; both end with the server. One whose question
    holds every text of `unless` is left out.
    """

    text: str = ""
    status: int = 200
    finish_reason: str = "stop"
    hang: bool = False
    endless: bool = False
    raw: bytes | None = None
    prompt_tokens: int = 1_000
    completion_tokens: int = 100
    unless: tuple[str, ...] = ()


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def messages(self) -> list[dict[str, str]]:
        return json.loads(self.body)["messages"]

    @property
    def text(self) -> str:
        return "\n".join(message["content"] for message in self.messages)


@dataclass
class ScriptedModelServer:
    """Answers in the scripted order; an unscripted question gets a 500."""

    replies: deque[Reply] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._over = threading.Event()
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                # Clients spell names as they like.
                headers = {name.title(): value for name, value in self.headers.items()}
                scripted.requests.append(Request(self.path, headers, body))
                reply = scripted._next(scripted.requests[-1].text)
                try:
                    self._answer(reply)
                except OSError:
                    self.close_connection = True

            def _answer(self, reply: Reply) -> None:
                if reply.hang:
                    scripted._over.wait()
                    self.close_connection = True
                    return
                if reply.endless:
                    self._drip()
                    return
                payload = reply.raw if reply.raw is not None else scripted._payload(reply)
                self.send_response(reply.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def _drip(self) -> None:
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                while not scripted._over.wait(0.05):
                    self.wfile.write(b"1\r\n \r\n")
                    self.wfile.flush()

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def api_base(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def script(self, *replies: Reply | str) -> None:
        self.replies.clear()
        self.requests.clear()
        self.replies.extend(Reply(r) if isinstance(r, str) else r for r in replies)

    def close(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _next(self, question: str) -> Reply:
        while self.replies:
            reply = self.replies.popleft()
            if not reply.unless or not all(text in question for text in reply.unless):
                return reply
        return Reply(status=500)

    @staticmethod
    def _payload(reply: Reply) -> bytes:
        if reply.status != 200:
            error = {"message": "scripted failure", "type": "scripted", "code": "scripted"}
            return json.dumps({"error": error}).encode()
        usage = {
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "total_tokens": reply.prompt_tokens + reply.completion_tokens,
        }
        message = {"role": "assistant", "content": reply.text}
        choice = {"index": 0, "finish_reason": reply.finish_reason, "message": message}
        document = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
        return json.dumps({**document, "usage": usage, "choices": [choice]}).encode()
