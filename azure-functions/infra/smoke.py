"""The first look at a new deployment: what no test without Azure can show.

    python azure-functions/infra/smoke.py --group GROUP --app APP --sign-in CLIENT_ID [--rough]

Needs the Azure CLI, signed in as somebody with the role Sync.Admin; for --rough also with the role Storage Queue Data
Contributor on the storage account. It asks for plans only, which write nothing to the CRM. --rough restarts the app in
the middle of a plan and sends one plan to poison: for a deployment that nobody works with yet.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

FUNCTIONS = {"tick", "work", "poison", "web"}
API = "/manage/api"
OVER = {"Done", "Failed", "Cancelled"}
_NOT_IN = (301, 302, 303, 401, 403)

Az = Callable[[Sequence[str]], Any]
T = TypeVar("T")


class SmokeError(Exception):
    """A check that failed: what was seen, and what to look at."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@dataclass
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Its content. Raises SmokeError when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise SmokeError(f"The answer (HTTP {self.status}) is no JSON; is the address right?") from None


@dataclass
class Smoke:
    """The checks. `az` runs the Azure CLI and gives its JSON; `poll` is the seconds between two looks."""

    url: str
    group: str
    app: str
    sign_in: str
    connection: str
    az: Az
    poll: float = 5.0
    patience: float = 1800.0
    other_token: str = ""  # of somebody who may sign in but has no role
    failed: list[str] = field(default_factory=list)

    def run(self, *, rough: bool) -> bool:
        """Every check, also after one that failed. True when all went well."""
        self._check("the app's four functions are there", self.index)
        self._check("it says that it is well without sign-in", self.healthy)
        self._check("a webhook's call meets the app, not the sign-in", self.called)
        self._check("nothing else is shown without sign-in", self.closed)
        self._check("a made-up sign-in header opens nothing", self.forged)
        self._check("an administrator gets in", self.admitted)
        if self.other_token:
            self._check("somebody without a role does not", self.refused)
        else:
            _say("left out: sign-in without a role (put such a person's token into SMOKE_TOKEN_WITHOUT_ROLE)")
        self._check("a plan runs to its end", self.plan)
        if rough:
            self._check("a plan survives a restart", self.restart)
            self._check("what goes to poison ends as failed", self.poison)
        return not self.failed

    def _check(self, what: str, check: Callable[[], None]) -> None:
        try:
            check()
        except (SmokeError, OSError) as error:
            self.failed.append(what)
            _say(f"FAILED: {what}\n        {error}")
        else:
            _say(f"ok: {what}")

    def index(self) -> None:
        """The host found what it should, and knows no other."""
        found = self.az(["functionapp", "function", "list", "--resource-group", self.group, "--name", self.app])
        names = {one["name"].rpartition("/")[2] for one in found}
        if names != FUNCTIONS:
            raise SmokeError(f"There are {sorted(names) or 'none'}. The log says why the app did not start.")

    def healthy(self) -> None:
        """Monitoring needs no sign-in."""
        status = self._get("/healthz", token="").status
        if status != 200:
            raise SmokeError(f"/healthz answers HTTP {status}. See the log, and excludedPaths of the sign-in.")

    def called(self) -> None:
        """A stranger's address: the app itself says that it is not there."""
        status = self._request("POST", "/hooks/economic/x", {}, {}).status
        if status != 404:
            raise SmokeError(
                f"/hooks/ answers HTTP {status}, not 404. 302 or 401: the sign-in stands before it and no webhook "
                "would come in. See excludedPaths of the sign-in."
            )

    def closed(self) -> None:
        """Sign-in stands before everything."""
        for path in (f"{API}/runs", "/manage", "/readyz", "/docs"):
            status = self._get(path, token="").status
            if status not in _NOT_IN:
                raise SmokeError(f"{path} answers HTTP {status}. Is the sign-in (authsettingsV2) deployed and on?")

    def forged(self) -> None:
        """The platform takes these headers away from whoever sends them."""
        claims = {"claims": [{"typ": "roles", "val": "Sync.Admin"}], "role_typ": "roles", "name_typ": "name"}
        header = {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(json.dumps(claims).encode()).decode()}
        for path in (f"{API}/runs", "/healthz"):
            answer = self._request("GET", path, header)
            if path != "/healthz" and answer.status not in _NOT_IN:
                raise SmokeError(f"{path} answers HTTP {answer.status} to a made-up header. Switch the app off.")

    def admitted(self) -> None:
        """With a token of the person who runs this."""
        status = self._get(f"{API}/runs").status
        if status != 200:
            raise SmokeError(
                f"HTTP {status}. 401: is the Azure CLI an allowed client (step 1 of the guide, allowedClientIds)? "
                "403: have you the role Sync.Admin?"
            )

    def refused(self) -> None:
        """Signed in is not enough."""
        status = self._get(f"{API}/runs", token=self.other_token).status
        if status not in (401, 403):
            raise SmokeError(f"HTTP {status}, where 403 was to be expected.")

    def plan(self) -> None:
        """Timer, queue and function work together."""
        state = self._finished(self._start())
        if state["state"] != "Done":
            raise SmokeError(f"It ended as {state['state']}: {state.get('message') or 'see its runs in the console'}")

    def restart(self) -> None:
        """The message comes back when its lock ends, at most ten minutes later, and the checkpoint is there."""
        job = self._start()
        self._until(lambda: self._state(job)["state"] != "Queued", "the plan to begin")
        self.az(["functionapp", "restart", "--resource-group", self.group, "--name", self.app])
        state = self._finished(job)
        if state["state"] != "Done":
            raise SmokeError(f"It ended as {state['state']}: {state.get('message')}")

    def poison(self) -> None:
        """With `work` switched off, a plan's message is laid into the poison queue by hand."""
        settings = {
            one["name"]: one["value"] for one in self.az(["functionapp", "config", "appsettings", "list", *self._app()])
        }
        self._switch(on=False)
        try:
            job = self._start()
            body = json.dumps({"connection": self.connection, "job": job})
            content = base64.b64encode(body.encode()).decode()
            where = ["--queue-name", f"{settings['ENGINE_QUEUE']}-poison", "--auth-mode", "login"]
            account = ["--account-name", settings["ENGINE_STORAGE_ACCOUNT"]]
            self.az(["storage", "message", "put", *where, *account, "--content", content])
            state = self._finished(job)
        finally:
            self._switch(on=True)
        if state["state"] != "Failed":
            raise SmokeError(f"It ended as {state['state']}, not as Failed. Is the function poison there?")

    # How

    def _app(self) -> list[str]:
        return ["--resource-group", self.group, "--name", self.app]

    def _switch(self, *, on: bool) -> None:
        value = f"AzureWebJobs.work.Disabled={'false' if on else 'true'}"
        self.az(["functionapp", "config", "appsettings", "set", *self._app(), "--settings", value])

    def _start(self) -> str:
        """Asks for a plan of all profiles; the job's id. Waits for one that is under way."""

        def asked() -> Answer | None:
            content = {"connection": self.connection, "mode": "plan"}
            answer = self._request("POST", f"{API}/runs", self._signed(), content)
            return None if answer.status in (409, 502, 503) else answer

        answer = self._until(asked, "the run before this one to end")
        if answer.status != 202:
            raise SmokeError(
                f"The start was refused with HTTP {answer.status}: {answer.body[:300].decode(errors='replace')}"
            )
        return str(answer.json()["id"])

    def _state(self, job: str) -> dict[str, Any]:
        """The job as the console shows it. A restarting app answers nothing useful for a while."""
        answer = self._get(f"{API}/runs/{self.connection}/{job}")
        found: dict[str, Any] = answer.json() if answer.status == 200 else {"state": "Unknown"}
        return found

    def _finished(self, job: str) -> dict[str, Any]:
        def over() -> dict[str, Any] | None:
            state = self._state(job)
            return state if state["state"] in OVER else None

        return self._until(over, f"the plan {job} to end")

    def _until(self, look: Callable[[], T | None], what: str) -> T:
        deadline = time.monotonic() + self.patience
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(self.poll)
        raise SmokeError(f"Waited {self.patience:.0f} s for {what}.")

    def _token(self) -> str:
        found = self.az(["account", "get-access-token", "--resource", f"api://{self.sign_in}"])
        return str(found["accessToken"])

    def _signed(self, token: str | None = None) -> dict[str, str]:
        token = self._token() if token is None else token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _get(self, path: str, token: str | None = None) -> Answer:
        return self._request("GET", path, self._signed(token))

    def _request(self, method: str, path: str, headers: Mapping[str, str], content: Any = None) -> Answer:
        body = None if content is None else json.dumps(content).encode()
        sent = {**headers, **({} if body is None else {"Content-Type": "application/json"})}
        request = urllib.request.Request(self.url + path, body, sent, method=method)  # noqa: S310  # https, or a test's
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=240) as answer:
                return Answer(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read())


def azure_cli(arguments: Sequence[str]) -> Any:
    """Runs `az` and gives what it prints. Raises SmokeError with its words."""
    command = ["az", *arguments, "--output", "json", "--only-show-errors"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        raise SmokeError("The Azure CLI (az) does not start. Install it, and sign in: az login") from None
    if done.returncode:
        raise SmokeError(f"az {' '.join(arguments[:3])} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201  # a command's own words


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The first look at a new deployment. It writes nothing to the CRM.")
    parser.add_argument("--group", required=True, help="resource group")
    parser.add_argument("--app", required=True, help="name of the function app")
    parser.add_argument("--sign-in", required=True, help="client id of the app registration for sign-in")
    parser.add_argument("--connection", default="default", help="which connection to plan (default %(default)s)")
    parser.add_argument("--url", help="address, when it is not https://APP.azurewebsites.net")
    parser.add_argument("--rough", action="store_true", help="also restart the app in a plan, and send one to poison")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when all went well."""
    options = _parser().parse_args(arguments)
    url = (options.url or f"https://{options.app}.azurewebsites.net").rstrip("/")
    other = os.environ.get("SMOKE_TOKEN_WITHOUT_ROLE", "")
    smoke = Smoke(url, options.group, options.app, options.sign_in, options.connection, azure_cli, other_token=other)
    if smoke.run(rough=options.rough):
        _say("All went well.")
        return 0
    _say(f"{len(smoke.failed)} of the checks failed.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
