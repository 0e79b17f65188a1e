"""A scripted search engine: answers as SearXNG, Tavily, Brave, Exa and Serper do, and serves the
pages that it finds."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

KEY = "search-key"


@dataclass
class Web:
    """`pages`: path -> (title, HTML). Every query finds those that share a word with it, in their
    order. `asked` has the queries, `read` the paths of pages that were fetched."""

    pages: dict[str, tuple[str, str]] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)  # path -> where it leads
    robots: str = ""
    status: int = 200
    asked: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def __enter__(self) -> Web:
        web = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query).get("q", [""])[0]
                if url.path == "/search":
                    self._say(web._found(query, "results", "url"))
                elif url.path == "/res/v1/web/search":
                    self._say({"web": web._found(query, "results", "url")}, "X-Subscription-Token")
                elif url.path == "/robots.txt":
                    self._send(web.robots.encode(), "text/plain")
                elif url.path in web.moved:
                    self._send(b"", "text/plain", 302, web.moved[url.path])
                elif url.path in web.pages:
                    web.read.append(url.path)
                    self._send(web.pages[url.path][1].encode(), "text/html; charset=utf-8")
                else:
                    self._send(b"none", "text/plain", 404)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                query = body.get("query") or body.get("q")
                if self.headers.get("authorization"):
                    self._say(web._found(query, "results", "url"), "Authorization", "Bearer ")
                elif "numResults" in body:
                    self._say(web._found(query, "results", "url"), "x-api-key")
                else:
                    self._say(web._found(query, "organic", "link"), "X-API-KEY")

            def _say(self, found: Mapping[str, Any], key: str = "", before: str = "") -> None:
                is_known = not key or self.headers.get(key) == before + KEY
                self._send(
                    json.dumps(found).encode(), "application/json", web.status if is_known else 401
                )

            def _send(self, body: bytes, type: str, status: int = 200, to: str = "") -> None:
                self.send_response(status)
                if to:
                    self.send_header("Location", to)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}"

    def add(self, path: str, title: str, *paragraphs: str) -> str:
        text = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
        self.pages[path] = (title, f"<!doctype html><title>{title}</title><main>{text}</main>")
        return self.url + path

    def _found(self, query: str, name: str, address: str) -> dict[str, Any]:
        self.asked.append(query)
        words = set(query.lower().split())
        return {
            name: [
                {address: self.url + path, "title": title}
                for path, (title, page) in self.pages.items()
                if words & set(title.lower().split())
            ]
        }
