"""Calls of Microsoft's library worker, in its own process: index a folder, invoke a function."""

import base64
import importlib
import platform
import sys
from typing import Any

from protos import Message, ParameterBinding, Protos, TypedData

# JSON of a value: {"kind": "string" | "json" | "bytes" | "http", "value": ...}; bytes travel as base64.
Value = dict[str, Any]


class Library:
    """The worker's five coroutines, of which three are needed. One for each process: its registry is global."""

    def __init__(self) -> None:
        self._runtime = importlib.import_module("azure_functions_runtime")
        self._runtime.start_threadpool_executor()
        self._properties = {"host": "127.0.0.1", "protos": Protos()}

    async def index(self, directory: str) -> dict[str, Any]:
        """Imports function_app.py and answers with every function's bindings, or with what is wrong."""
        asked = Message(capabilities={}, function_app_directory=directory)
        answer = await self._runtime.worker_init_request(self._request(worker_init_request=asked))
        if answer.result.status != Protos.StatusResult.Success:
            return _failure(answer.result)
        asked = Message(function_app_directory=directory)
        answer = await self._runtime.functions_metadata_request(self._request(functions_metadata_request=asked))
        found = answer.function_metadata_results or []
        functions = [{"id": one.function_id, "name": one.name, "bindings": list(one.raw_bindings)} for one in found]
        for one in found:
            asked = Message(function_id=one.function_id)
            await self._runtime.function_load_request(self._request(function_load_request=asked))
        return {"ok": True, "functions": functions, "versions": _versions()}

    async def invoke(self, call: dict[str, Any]) -> dict[str, Any]:
        """Runs one function. `call`: id, function, inputs and metadata (name -> Value), trace_parent."""
        asked = Message(
            invocation_id=call["id"],
            function_id=call["function"],
            input_data=[ParameterBinding(name=name, data=_decode(value)) for name, value in call["inputs"].items()],
            trigger_metadata={name: _decode(value) for name, value in call["metadata"].items()},
            trace_context=Message(trace_parent=call["trace_parent"], trace_state="", attributes={}),
            retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
        )
        answer = await self._runtime.invocation_request(self._request(invocation_request=asked))
        if answer.result.status != Protos.StatusResult.Success:
            return _failure(answer.result)
        outputs = {one.name: _encode(one.data) for one in answer.output_data}
        return {"ok": True, "returned": _encode(answer.return_value), "outputs": outputs}

    def _request(self, **kind: Any) -> Message:
        return Message(request=Message(**kind), properties=self._properties)


def _failure(result: Any) -> dict[str, Any]:
    return {"ok": False, "error": result.exception.message, "trace": result.exception.stack_trace}


def _decode(value: Value) -> TypedData:
    kind, content = value["kind"], value["value"]
    if kind == "bytes":
        content = base64.b64decode(content)
    elif kind == "http":
        content = Message(**{**content, "body": _decode(content["body"])})
    return TypedData(**{kind: content})


def _encode(data: TypedData | None) -> Value | None:
    if data is None:
        return None
    ((kind, content),) = vars(data).items()
    if kind == "bytes":
        content = base64.b64encode(content).decode()
    elif kind == "http":
        content = {
            "status_code": int(content.status_code),
            "headers": dict(content.headers),
            "cookies": [_cookie(one) for one in content.cookies or []],
            "body": _encode(content.body),
        }
    return {"kind": kind, "value": content}


def _cookie(cookie: Any) -> dict[str, Any]:
    """The fields the host writes into a Set-Cookie header; "" for those that are not set."""
    fields = {name: getattr(cookie, name, None) for name in ("path", "domain", "max_age", "secure", "http_only")}
    return {
        "name": cookie.name,
        "value": cookie.value,
        "same_site": cookie.same_site,
        **{name: getattr(field, "value", field) for name, field in fields.items()},
    }


def _versions() -> dict[str, str]:
    sdk = importlib.import_module("azure.functions")
    runtime = importlib.import_module("azure_functions_runtime.version")
    return {
        "python": platform.python_version(),
        "sdk": sdk.__version__,
        "runtime": runtime.VERSION,
        "runtime_file": str(sys.modules["azure_functions_runtime"].__file__),
    }
