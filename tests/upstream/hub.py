"""A small Hugging Face hub on loopback: its API's list of files, and the files, in parts."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

REPOSITORY = "maker/Model-GGUF"
REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Of one repository. Files are bytes; what they are said to be may differ from it."""

    files: dict[str, bytes]
    sums: dict[str, str] = field(default_factory=dict)
    status: int = 200  # of the list
    list_body: bytes | None = None
    cuts: list[int] = field(default_factory=list)  # a download each: bytes until it breaks off
    ignores_range: bool = False
    goes_elsewhere: bool = True  # by a redirect, as the real one does
    asked: list[tuple[str, str]] = field(default_factory=list)  # (path, Range)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.0"

            def do_GET(self) -> None:  # http.server's name
                hub._answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.asked.append((path, handler.headers.get("Range", "")))
        if path == f"/api/models/{REPOSITORY}":
            self._send(handler, self.status, self._list() if self.status == 200 else b"{}")
            return
        name = path.removeprefix(f"/{REPOSITORY}/resolve/{REVISION}/")
        if name in self.files and self.goes_elsewhere:
            self._send(handler, 302, b"", Location=f"{self.url}/store/{name}")
            return
        name = name.removeprefix("/store/")
        if name not in self.files:
            self._send(handler, 404, b"")
            return
        self._send_file(handler, self.files[name])

    def _send_file(self, handler: BaseHTTPRequestHandler, data: bytes) -> None:
        said = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        begin = int(said[1]) if said and not self.ignores_range else 0
        if begin >= len(data) > 0:
            self._send(handler, 416, b"")
            return
        rest = data[begin:]
        handler.send_response(206 if begin else 200)
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        handler.wfile.write(rest[: self.cuts.pop(0)] if self.cuts else rest)

    def _send(self, handler: Any, status: int, body: bytes, **headers: str) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _list(self) -> bytes:
        if self.list_body is not None:
            return self.list_body
        rows: list[dict[str, Any]] = [{"rfilename": "README.md", "size": 10}]
        for name, data in self.files.items():
            found = self.sums.get(name, hashlib.sha256(data).hexdigest())
            large = {"sha256": found, "size": len(data), "pointerSize": 135}
            rows.append({"rfilename": name, "size": len(data), "lfs": large})
        return json.dumps({"id": REPOSITORY, "sha": REVISION, "siblings": rows}).encode()
