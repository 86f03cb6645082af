"""What stands before every route: tokens, the token bucket, injected faults, remembered answers, response headers.

Pure ASGI, because two of the faults leave an answer unfinished on purpose.
"""

import asyncio
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import unquote

from starlette.responses import HTMLResponse, Response

from worker.emulators.common.faults import Faults
from worker.emulators.common.middleware import App, Message, Receive, Scope, Send, note_of
from worker.emulators.economic.asgi import (
    CollectedAnswer,
    CutAnswer,
    read_body,
    replayed,
    send_answer,
    until_gone,
)
from worker.emulators.economic.bucket import Bucket
from worker.emulators.economic.context import Context
from worker.emulators.economic.errors import error_response, is_open_path
from worker.emulators.economic.idempotency import Answer, AnswerCache, Ask
from worker.emulators.economic.roles import may

FAULTS = frozenset(
    ["429", "429-no-retry-after", "500", "503", "cut", "html", "truncated-json", "slow", "timeout", "revoked"]
)
_FREE_PATHS = ("/_emulator", "/secure/")
_READS = ("GET", "HEAD", "OPTIONS")
_HTML = "<!DOCTYPE html><html><body><h1>Service maintenance</h1></body></html>"
_DEMO = "demo"


class Gate:
    """Wraps the routes; `revoked` is true from the moment the fault of that name hit until granted again."""

    def __init__(self, app: App, ctx: Context, faults: Faults) -> None:
        self.app = app
        self.ctx = ctx
        self.faults = faults
        self.revoked = False
        self.bucket = Bucket(ctx.options.token_limit, ctx.options.token_window, ctx.options.clock)
        self.cache = AnswerCache(ctx.store, ctx.options.idempotency_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_FREE_PATHS):
            await self.app(scope, receive, send)
            return
        headers = _headers(scope)
        scope = self._with_slashes_kept(scope)
        send = self._with_headers(scope, send)
        refusal = self._refusal(scope, headers)
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        if self.faults.hit("slow"):
            await asyncio.sleep(self.ctx.options.slow_ms / 1000)
        if self.faults.hit("timeout"):
            await until_gone(receive, self.ctx.options.timeout_s)
            await error_response(scope["path"], 504, "The server timed out.", "Timeout")(scope, receive, send)
            return
        if self.faults.hit("cut"):
            send = CutAnswer(send, keep_length=True).send
        elif self.faults.hit("truncated-json"):
            send = CutAnswer(send, keep_length=False).send
        await self._handle(scope, headers, receive, send)

    # -- before the routes ---------------------------------------------------------------------------------------

    def _refusal(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        """The answer that is given instead of handling the request, if any."""
        if self.faults.hit("revoked"):
            self.revoked = True
        if self.revoked or not self._authorised(scope, headers):
            return self._unauthorised(scope["path"])
        if self.bucket.is_empty() or self.faults.hit("429"):
            return self._too_many(scope["path"], self.ctx.switches.get("retry_after"))
        if self.faults.hit("429-no-retry-after"):
            return self._too_many(scope["path"], "none")
        for name in ("500", "503"):
            if self.faults.hit(name):
                return error_response(scope["path"], int(name), "An unexpected error happened.", "InternalError")
        if self.faults.hit("html"):
            return HTMLResponse(_HTML)
        return self._forbidden(scope, headers)

    def _authorised(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        pair = (headers.get("x-appsecrettoken"), headers.get("x-agreementgranttoken"))
        options = self.ctx.options
        return pair == (options.app_secret, options.grant_token) or _is_demo(scope, headers)

    def _forbidden(self, scope: Scope, headers: Mapping[str, str]) -> Response | None:
        if not may(self.ctx.switches.get("granted_role"), scope["path"]):
            return error_response(scope["path"], 403, "The app's role does not allow this.", "AccessDenied")
        if scope["method"] in _READS:
            return None
        if _is_demo(scope, headers):
            return error_response(scope["path"], 403, "The demo agreement can only be read.", "AccessDenied")
        if not self.ctx.is_on("writes_allowed"):
            return error_response(scope["path"], 403, "The agreement does not allow writing.", "AccessDenied")
        return None

    def _unauthorised(self, path: str) -> Response:
        shape = self.ctx.switches.get("unauthorized_body")
        if shape == "empty":
            return Response(status_code=401)
        if shape == "html":
            return HTMLResponse("<html><body>Unauthorized</body></html>", 401)
        return error_response(path, 401, "Access denied: the tokens are not valid for any agreement.", "Unauthorized")

    def _too_many(self, path: str, form: str) -> Response:
        if self.ctx.switches.get("rate_limit_body") == "empty":
            answer = Response(status_code=429)
        else:
            answer = error_response(path, 429, "Too many requests: the token bucket is empty.", "TooManyRequests")
        wait = int(self.bucket.seconds_left()) + 1 if self.bucket.is_empty() else 1
        if form == "seconds":
            answer.headers["Retry-After"] = str(wait)
        elif form == "date":
            moment = datetime.now(UTC) + timedelta(seconds=wait)
            answer.headers["Retry-After"] = format_datetime(moment, usegmt=True)
        return answer

    def _with_slashes_kept(self, scope: Scope) -> Scope:
        """A `%2F` in a path was decoded by the server; where it is accepted, read it as part of the key."""
        raw = scope.get("raw_path", b"").decode("ascii")
        if "%2f" not in raw.lower() or not self.ctx.is_on("slash_in_year_path"):
            return scope
        return {**scope, "path": unquote(re.sub("%2f", "_6_", raw, flags=re.IGNORECASE))}

    # -- the routes ----------------------------------------------------------------------------------------------

    async def _handle(self, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
        key = headers.get("idempotency-key")
        if key is None or scope["method"] in _READS:
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        ask = Ask(key, f"{scope['method']} {scope['path']}", body)
        answer = self._remembered(ask, scope["path"])
        if answer is None:
            answer = await self._fresh(scope, ask, receive)
        await send_answer(answer, send)

    def _remembered(self, ask: Ask, path: str) -> Answer | None:
        found = self.cache.find(ask, self._now())
        if found is None:
            return None
        answer, same_body = found
        other = self.ctx.switches.get("idempotency_other_body")
        if not same_body and other == "execute":
            return None
        if not same_body and other == "conflict":
            return _as_answer(error_response(path, 409, "The Idempotency-Key was used for another body.", "KeyReused"))
        return Answer(answer.status, [*answer.headers, (b"x-resultfromcache", b"true")], answer.body)

    async def _fresh(self, scope: Scope, ask: Ask, receive: Receive) -> Answer:
        collected = CollectedAnswer()
        await self.app(scope, replayed(ask.body, receive), collected.send)
        answer = collected.answer()
        if answer.status < 500:
            self.cache.keep(ask, answer, self._now())
        return answer

    def _now(self) -> float:
        return self.ctx.options.now().timestamp()

    # -- after the routes ----------------------------------------------------------------------------------------

    def _with_headers(self, scope: Scope, send: Send) -> Send:
        """Charge the call and say so in the answer's headers."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                cost = note_of(scope).cost
                self.bucket.charge(cost)
                letter = self.ctx.is_on("call_cost_letter")
                message["headers"] = [
                    *message["headers"],
                    (b"x-callcost", b"B" if letter else f"{cost:g}".encode()),
                    (b"x-ratelimiting", self.bucket.header().encode()),
                    (b"x-requestid", uuid.uuid4().hex.encode()),
                    (b"x-economicversion", b"emulator"),
                ]
            await send(message)

        return sending


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


def _is_demo(scope: Scope, headers: Mapping[str, str]) -> bool:
    if (headers.get("x-appsecrettoken"), headers.get("x-agreementgranttoken")) == (_DEMO, _DEMO):
        return True
    return b"demo=true" in scope["query_string"].split(b"&") and not is_open_path(scope["path"])


def _as_answer(response: Response) -> Answer:
    return Answer(response.status_code, list(response.raw_headers), bytes(response.body))
