"""The host's HTTP front: routes, key checks, and what it keeps for itself."""

from __future__ import annotations

import base64
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.mini_host.bindings import Function

KEYS = {"function": "test-function-key", "admin": "test-admin-key"}
_OWN = ("admin", "runtime")  # no route of an app is reached below these
_SAME_SITE = {1: "Lax", 2: "Strict", 3: "None"}

_PRINCIPAL = "x-ms-client-principal"

# (function, inputs, trace parent) -> the worker's answer, or None when it failed
Invoke = Callable[[Function, dict[str, Any], str], dict[str, Any] | None]


@dataclass(frozen=True)
class SignIn:
    """A stand-in for the platform's sign-in: token -> the roles of whoever holds it. Paths in `excluded` are open.

    Without it headers pass as they come, as on a plan where sign-in is switched off.
    """

    tokens: Mapping[str, Sequence[str]]
    excluded: frozenset[str] = frozenset({"/healthz"})

    def checked(self, path: str, headers: Mapping[str, str]) -> dict[str, str] | None:
        """The headers as the app gets them; None for somebody who must sign in first."""
        passed = {name: value for name, value in headers.items() if not name.startswith(_PRINCIPAL)}
        if path in self.excluded:
            return passed
        token = headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens:
            return None
        return passed | principal_headers(self.tokens[token])


def principal_headers(roles: Sequence[str], name: str = "anna@example.com") -> dict[str, str]:
    """What the platform's sign-in adds to a request."""
    claims = [{"typ": "name", "val": name}, *({"typ": "roles", "val": role} for role in roles)]
    principal = {"auth_typ": "aad", "name_typ": "name", "role_typ": "roles", "claims": claims}
    text = base64.b64encode(json.dumps(principal).encode()).decode()
    return {_PRINCIPAL: text, f"{_PRINCIPAL}-name": name, f"{_PRINCIPAL}-id": "00000000-0000-0000-0000-000000000001"}


class Front:
    """A server on a free loopback port."""

    def __init__(
        self, functions: Sequence[Function], prefix: str, invoke: Invoke, sign_in: SignIn | None = None
    ) -> None:
        self._sign_in = sign_in
        self._routes = [(_pattern(prefix, one), one) for one in functions if one.kind == "http"]
        self._invoke = invoke
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                status, headers, body = front.answer(
                    self.command, self.path, self.headers.items(), self.rfile.read(length)
                )
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _serve

        class Server(ThreadingHTTPServer):
            daemon_threads = False
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                pass  # a client that went away; tests see it on their side

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Status, headers and body."""
        parts = urlsplit(target)
        joined = _joined(headers)
        if self._sign_in:
            checked = self._sign_in.checked(parts.path, joined)
            if checked is None:
                return 302, [("location", "https://login.microsoftonline.com/")], b""
            joined = checked
        path = unquote(parts.path).lstrip("/")
        if path.split("/")[0].casefold() in _OWN:
            return 404, [], b""
        function, values = self._find(path)
        if function is None:
            return 404, [], b""
        if method.lower() not in [str(one).lower() for one in function.trigger.get("methods") or [method]]:
            return 405, [], b""
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if not _has_key(str(function.trigger.get("authLevel") or "function").lower(), joined, query):
            return 401, [], b""
        request = {
            "method": method,
            "url": self.url + target,
            "headers": joined,
            "params": values,
            "query": query,
            "body": {"kind": "bytes", "value": base64.b64encode(body).decode()},
        }
        trace = joined.get("traceparent") or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        done = self._invoke(function, {"kind": "http", "value": request}, trace)
        return (500, [], b"") if done is None else _response(done["returned"])

    def _find(self, path: str) -> tuple[Function | None, dict[str, str]]:
        for pattern, function in self._routes:
            match = pattern.fullmatch(path)
            if match:
                return function, {name: value for name, value in match.groupdict().items() if value is not None}
        return None, {}


def _pattern(prefix: str, function: Function) -> re.Pattern[str]:
    """A route template: {name} is one part of the path, {*name} all that is left."""
    route = str(function.trigger.get("route") or function.name)
    pieces = re.split(r"\{(\*?)(\w+)\}", "/".join(filter(None, [prefix.strip("/"), route.strip("/")])))
    made = re.escape(pieces[0])
    for star, name, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3], strict=True):
        made += f"(?P<{name}>{'.*' if star else '[^/]+'}){re.escape(literal)}"
    return re.compile(made, re.IGNORECASE)


def _joined(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        joined[name.lower()] = f"{joined[name.lower()]}, {value}" if name.lower() in joined else value
    return joined


def _has_key(level: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    given = headers.get("x-functions-key") or query.get("code") or ""
    return level == "anonymous" or given == KEYS["admin"] or (level == "function" and given == KEYS["function"])


def _response(returned: dict[str, Any] | None) -> tuple[int, list[tuple[str, str]], bytes]:
    if returned is None:
        return 204, [], b""
    if returned["kind"] != "http":
        return 200, [("content-type", "text/plain")], str(returned["value"]).encode()
    value = returned["value"]
    headers = [(name, text) for name, text in value["headers"].items() if name.lower() != "content-length"]
    headers += [("set-cookie", _cookie(one)) for one in value["cookies"]]
    return value["status_code"], headers, base64.b64decode(value["body"]["value"])


def _cookie(cookie: Mapping[str, Any]) -> str:
    parts = [f"{cookie['name']}={cookie['value']}"]
    parts += [f"Path={cookie['path']}"] if cookie["path"] else []
    parts += [f"Max-Age={int(cookie['max_age'])}"] if cookie["max_age"] is not None else []
    parts += ["Secure"] if cookie["secure"] else []
    parts += ["HttpOnly"] if cookie["http_only"] else []
    parts += [f"SameSite={_SAME_SITE[cookie['same_site']]}"] if cookie["same_site"] in _SAME_SITE else []
    return "; ".join(parts)
