"""An ARM template, evaluated as far as it goes without Azure, and its properties held against Azure's own models.

The evaluator knows the template functions that ours uses and refuses any other, so a misspelt one is found. What only
Azure knows (an identity's client id, an address) comes back as a readable placeholder.
"""

from __future__ import annotations

import enum
import re
import sys
import typing
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|(-?\d+)|([A-Za-z_]\w*)|(.))")
_SUBSCRIPTION = "/subscriptions/s"
_GROUP = f"{_SUBSCRIPTION}/resourceGroups/g"


class TemplateError(Exception):
    """What Azure would refuse."""


class Template:
    """A template with the parameters it is deployed with."""

    def __init__(self, content: Mapping[str, Any], given: Mapping[str, Any]) -> None:
        self.content = content
        self._given = given
        self._at: dict[str, int] = {}
        self.used: set[tuple[str, str]] = set()

    @property
    def resources(self) -> list[dict[str, Any]]:
        """All of them, copies written out, with every expression evaluated."""
        found = []
        for resource in self.content["resources"]:
            copy = resource.get("copy")
            if copy is None:
                found.append(self.value(resource))
                continue
            for at in range(self.value(copy["count"])):
                self._at[copy["name"]] = at
                plain = {name: value for name, value in resource.items() if name != "copy"}
                found.append({**self.value(plain), "copy": copy["name"]})
        return found

    @property
    def outputs(self) -> dict[str, Any]:
        """Name -> value."""
        return {name: self.value(output["value"]) for name, output in self.content["outputs"].items()}

    def identifier(self, resource: Mapping[str, Any]) -> str:
        """The resource's full name."""
        found = _resource_id(_GROUP, resource["type"], *resource["name"].split("/"))
        scope = resource.get("scope")
        if not scope:
            return found
        kind, _, name = scope.rpartition("/")
        return f"{_resource_id(_GROUP, kind, name)}/providers/{resource['type']}/{resource['name']}"

    def value(self, written: Any) -> Any:
        """What stands there once expressions are evaluated."""
        if isinstance(written, Mapping):
            return {self.value(name): self.value(value) for name, value in written.items()}
        if isinstance(written, list):
            return [self.value(one) for one in written]
        if isinstance(written, str) and written.startswith("[") and not written.startswith("[["):
            if not written.endswith("]"):
                raise TemplateError(f"{written}: no ] at the end")
            return _Expression(self, written[1:-1]).result()
        return written

    def parameter(self, name: str) -> Any:
        self.used.add(("parameters", name))
        declared = self.content["parameters"].get(name)
        if declared is None:
            raise TemplateError(f"there is no parameter {name}")
        value = self._given[name] if name in self._given else self.value(_default(name, declared))
        kinds = {"string": str, "int": int, "array": list, "bool": bool, "object": dict}
        if not isinstance(value, kinds[declared["type"]]):
            raise TemplateError(f"parameter {name} is no {declared['type']}")
        if "allowedValues" in declared and value not in declared["allowedValues"]:
            raise TemplateError(f"parameter {name} may not be {value!r}")
        return value

    def variable(self, name: str) -> Any:
        self.used.add(("variables", name))
        variables = self.content["variables"]
        if name in variables and name != "copy":
            return self.value(variables[name])
        for copy in variables.get("copy", []):
            if copy["name"] == name:
                return [self._copied(copy, at) for at in range(self.value(copy["count"]))]
        raise TemplateError(f"there is no variable {name}")

    def _copied(self, copy: Mapping[str, Any], at: int) -> Any:
        self._at[copy["name"]] = at
        return self.value(copy["input"])

    def copy_index(self, name: str) -> int:
        if name not in self._at:
            raise TemplateError(f"there is no copy {name}")
        return self._at[name]


def _default(name: str, declared: Mapping[str, Any]) -> Any:
    if "defaultValue" not in declared:
        raise TemplateError(f"parameter {name} is not given")
    return declared["defaultValue"]


class _Expression:
    """One expression: calls, texts, numbers, .property and [index]."""

    def __init__(self, template: Template, text: str) -> None:
        self._text = text
        self._tokens = [match for match in _TOKEN.finditer(text) if match[0].strip()]
        self._at = 0
        self._functions = _functions(template)

    def result(self) -> Any:
        value = self._one()
        if self._at != len(self._tokens):
            raise TemplateError(f"{self._text}: something is left over")
        return value

    def _one(self) -> Any:
        token = self._next()
        if token[1] is not None:
            value: Any = token[1].replace("''", "'")
        elif token[2] is not None:
            value = int(token[2])
        elif token[3] is not None:
            value = self._call(token[3])
        else:
            raise TemplateError(f"{self._text}: unexpected {token[4]}")
        while self._peek() in (".", "["):
            value = self._part(value)
        return value

    def _part(self, value: Any) -> Any:
        if self._next()[4] == ".":
            return value[self._next()[3]]
        index = self._one()
        self._expect("]")
        return value[index]

    def _call(self, name: str) -> Any:
        if name not in self._functions:
            raise TemplateError(f"{self._text}: {name} is no function of ours")
        self._expect("(")
        arguments = []
        while self._peek() != ")":
            arguments.append(self._one())
            if self._peek() != ")":
                self._expect(",")
        self._expect(")")
        return self._functions[name](*arguments)

    def _peek(self) -> str | None:
        return self._tokens[self._at][4] if self._at < len(self._tokens) else "end"

    def _next(self) -> re.Match[str]:
        if self._at >= len(self._tokens):
            raise TemplateError(f"{self._text}: ends too early")
        self._at += 1
        return self._tokens[self._at - 1]

    def _expect(self, sign: str) -> None:
        if self._next()[4] != sign:
            raise TemplateError(f"{self._text}: {sign} is missing")


class _Known(dict[str, Any]):
    """What only Azure knows: each property is a readable placeholder."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __missing__(self, name: str) -> Any:
        if name == "primaryEndpoints":
            return {"blob": "https://account.blob.core.windows.net/"}
        return f"<{name} of {self._name}>"


def _functions(template: Template) -> dict[str, Callable[..., Any]]:
    return {
        "parameters": template.parameter,
        "variables": template.variable,
        "copyIndex": template.copy_index,
        "concat": lambda *parts: sum(parts[1:], parts[0]) if isinstance(parts[0], list) else "".join(parts),
        "createArray": lambda *items: list(items),
        "createObject": lambda *items: dict(zip(items[::2], items[1::2], strict=True)),
        "if": lambda condition, yes, no: yes if condition else no,
        "empty": lambda value: not value,
        "equals": lambda one, other: one == other,
        "length": len,
        "replace": lambda text, old, new: text.replace(old, new),
        "take": lambda value, count: value[:count],
        "toLower": str.lower,
        "guid": lambda *parts: str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts))),
        "uniqueString": lambda *parts: uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)).hex[:13],
        "resourceId": lambda kind, *names: _resource_id(_GROUP, kind, *names),
        "subscriptionResourceId": lambda kind, *names: _resource_id(_SUBSCRIPTION, kind, *names),
        "extensionResourceId": lambda scope, kind, *names: _resource_id(scope, kind, *names),
        "reference": lambda identifier, _version: _Known(identifier.rpartition("/")[2]),
        "resourceGroup": lambda: {"id": _GROUP, "location": "westeurope"},
        "subscription": lambda: {"tenantId": "<tenant>", "subscriptionId": "s"},
        "environment": lambda: {
            "suffixes": {"keyvaultDns": ".vault.azure.net"},
            "authentication": {"loginEndpoint": "https://login.microsoftonline.com/"},
        },
    }


def _resource_id(scope: str, kind: str, *names: str) -> str:
    provider, *types = kind.split("/")
    if len(types) != len(names):
        raise TemplateError(f"{kind} has {len(types)} parts, but {len(names)} names were given")
    return f"{scope}/providers/{provider}/" + "/".join(f"{one}/{name}" for one, name in zip(types, names, strict=True))


def walk(model: type, written: Mapping[str, Any], where: str) -> Iterator[str]:
    """What the model does not know: properties, and values of closed lists."""
    fields = _fields(model)
    for name, value in written.items():
        if name not in fields:
            yield f"{where}.{name}: {model.__name__} has no such property"
            continue
        yield from _check(fields[name], value, f"{where}.{name}")


def _fields(model: type) -> dict[str, Any]:
    """Name on the wire -> type, of the model and those it inherits from."""
    model({})  # the SDK completes a class when its first object is made
    hints: dict[str, Any] = {}
    for kind in reversed(model.__mro__):
        for name, hint in vars(kind).get("__annotations__", {}).items():
            hints[name] = _resolved(hint, sys.modules[kind.__module__])
    return {field._rest_name: hints[name] for name, field in model._attr_to_rest_field.items()}  # type: ignore[attr-defined]


def _resolved(hint: Any, module: Any) -> Any:
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        models = sys.modules[module.__name__.rpartition(".")[0]]
        return eval(hint, {**vars(module), "_models": models})  # noqa: S307  # the SDK's own annotation
    arguments = typing.get_args(hint)
    if not arguments:
        return hint
    resolved = tuple(_resolved(one, module) for one in arguments)
    origin = typing.get_origin(hint)
    return typing.Union[resolved] if origin is typing.Union else origin[resolved]  # noqa: UP007  # made at run time


def _is_model(option: Any) -> bool:
    return isinstance(option, type) and any(kind.__name__ == "Model" for kind in option.__mro__)


def _check(hint: Any, value: Any, where: str) -> Iterator[str]:
    options = typing.get_args(hint) if typing.get_origin(hint) is typing.Union else (hint,)
    for option in options:
        if isinstance(option, type) and issubclass(option, enum.Enum):
            words = [str(one.value) for one in option]
            if isinstance(value, str) and value not in words:
                yield f"{where}: {value} is none of {', '.join(words)}"
        elif typing.get_origin(option) is list and isinstance(value, list):
            for at, one in enumerate(value):
                yield from _check(typing.get_args(option)[0], one, f"{where}[{at}]")
        elif isinstance(value, Mapping) and _is_model(option):
            yield from walk(option, value, where)
        elif option is bool and not isinstance(value, bool):
            yield f"{where}: {value!r} is neither true nor false"
