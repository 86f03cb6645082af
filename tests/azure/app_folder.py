"""The folder azure-functions/: no package, so its modules are loaded by path."""

from __future__ import annotations

import functools
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.azure.arm import Template
from tests.support.mini_host.install import APP

INFRA = APP / "infra"


@functools.cache
def load(name: str) -> ModuleType:
    """vault, build or infra/smoke, by file name."""
    spec = importlib.util.spec_from_file_location(f"azure_functions_{Path(name).stem}", APP / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def read_json(name: str) -> Any:
    return json.loads((APP / name).read_text(encoding="utf-8"))


def template(**given: Any) -> Template:
    """As deployed with the example's parameters, or others."""
    example = read_json("infra/azuredeploy.parameters.example.json")["parameters"]
    parameters = {name: one["value"] for name, one in example.items()}
    return Template(read_json("infra/azuredeploy.json"), parameters | given)


def of_type(found: Template, kind: str) -> list[dict[str, Any]]:
    return [one for one in found.resources if one["type"] == kind]


def site(found: Template) -> dict[str, Any]:
    (one,) = of_type(found, "Microsoft.Web/sites")
    return one


def app_settings(found: Template) -> dict[str, str]:
    """Name -> value, as the app gets them; a name that is there twice fails."""
    pairs = site(found)["properties"]["siteConfig"]["appSettings"]
    settings = {one["name"]: one["value"] for one in pairs}
    assert len(settings) == len(pairs), "an app setting is given twice"
    return settings
