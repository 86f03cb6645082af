"""Stand-ins for the messages that host and worker exchange: the library worker makes them from what its host injects.

Plain attribute bags, made on demand; only the names whose values are compared are spelled out.
"""

from types import SimpleNamespace
from typing import Any


class Message(SimpleNamespace):
    """A message with the fields it was made with."""


class TypedData(Message):
    """One value: exactly one of string, json, bytes, http, int and so on is set."""

    def WhichOneof(self, _group: str) -> str | None:  # the wire library's own name
        return next(iter(vars(self)), None)


class ParameterBinding(Message):
    """A named value of an invocation."""

    def WhichOneof(self, _group: str) -> str:
        return "data"


class Protos:
    """The injected module."""

    TypedData = TypedData
    ParameterBinding = ParameterBinding

    class StatusResult(Message):
        Failure = 0
        Success = 1

    class BindingInfo(Message):
        out = 1
        inout = 2
        undefined = 0
        string = 1
        binary = 2
        stream = 3

    class RpcHttpCookie(Message):
        SameSite = SimpleNamespace(**{"None": 0, "Lax": 1, "Strict": 2, "ExplicitNone": 3})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return Message


setattr(Protos.BindingInfo, "in", 0)
