"""The template for Azure, as far as it can be held to account without Azure."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from azure.mgmt.keyvault import models as vault_models
from azure.mgmt.storage import models as storage_models
from azure.mgmt.web import models as web_models

from tests.azure.app_folder import APP, app_settings, load, of_type, read_json, site, template
from tests.azure.arm import TemplateError, walk
from worker import settings as worker_settings
from worker.settings import load_installation
from worker.web.access import Role

TEMPLATE = read_json("infra/azuredeploy.json")
MODELS: dict[str, type] = {
    "Microsoft.Web/sites": web_models.Site,
    "Microsoft.Web/serverfarms": web_models.AppServicePlan,
    "Microsoft.Web/sites/config": web_models.SiteAuthSettingsV2,
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies": web_models.CsmPublishingCredentialsPoliciesEntity,
    "Microsoft.Storage/storageAccounts": storage_models.StorageAccount,
    "Microsoft.Storage/storageAccounts/blobServices/containers": storage_models.BlobContainer,
    "Microsoft.Storage/storageAccounts/queueServices/queues": storage_models.StorageQueue,
    "Microsoft.KeyVault/vaults": vault_models.Vault,
}
# Of which no model is at hand: their few properties are looked at below.
WITHOUT_MODEL = {
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.OperationalInsights/workspaces",
    "Microsoft.Insights/components",
    "Microsoft.Storage/storageAccounts/blobServices",
    "Microsoft.Storage/storageAccounts/queueServices",
    "Microsoft.Authorization/roleAssignments",
}
ROLES = {
    "Storage Blob Data Owner": "b7e6dc6d-f1e8-4753-8033-0f276bb0955b",
    "Storage Queue Data Contributor": "974c5e8b-45b9-4653-ba55-5f855dd0fb88",
    "Storage Table Data Contributor": "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Key Vault Secrets Officer": "b86a8fe4-44ce-4948-aee5-eccb2c155cd7",
}
# On Flex Consumption these are refused or mean nothing: functionAppConfig has taken their place.
FORBIDDEN_SETTINGS = re.compile(
    r"FUNCTIONS_(WORKER_RUNTIME|WORKER_RUNTIME_VERSION|EXTENSION_VERSION|WORKER_PROCESS_COUNT|MAX_HTTP_CONCURRENCY)"
    r"|SCM_DO_BUILD_DURING_DEPLOYMENT|ENABLE_ORYX_BUILD|WEBSITE_RUN_FROM_PACKAGE|WEBSITE_CONTENT.*|WEBSITE_TIME_ZONE|TZ"
)
FORBIDDEN_PROPERTIES = {
    *("ftpsState", "alwaysOn", "use32BitWorkerProcess", "linuxFxVersion", "windowsFxVersion", "preWarmedInstanceCount"),
    *("functionAppScaleLimit", "containerSize", "pythonVersion", "netFrameworkVersion", "isReserved", "isXenon"),
}
# Read by the host, by the worker's runtime, or by vault.py.
PLATFORM_SETTINGS = {
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AzureWebJobsStorage__accountName",
    "AzureWebJobsStorage__clientId",
    "AzureWebJobsStorage__credential",
    "PYTHON_ENABLE_OPENTELEMETRY",
    "SHAREPOINT_CERTIFICATE",
}


def secrets_of_the_worker() -> set[str]:
    """Variables whose values are secret, by the worker's own settings."""
    return {f"{group}_{name}".upper() for group, names in worker_settings._SECRETS.items() for name in names}


def known_names() -> set[str]:
    """Every variable of a settings group."""
    groups = {**worker_settings.GROUPS, "engine": worker_settings.EngineSettings}
    return {f"{prefix}_{name}".upper() for prefix, kind in groups.items() for name in kind.model_fields}


def test_every_expression_can_be_evaluated_and_nothing_is_declared_in_vain():
    found = template()
    assert len(found.resources) > 15
    assert found.outputs["vaultName"]
    declared = {("parameters", name) for name in TEMPLATE["parameters"]}
    declared |= {("variables", name) for name in TEMPLATE["variables"] if name != "copy"}
    declared |= {("variables", one["name"]) for one in TEMPLATE["variables"]["copy"]}
    assert declared - found.used == set()


def test_every_default_is_valid():
    """With nothing given but what must be."""
    needed = [name for name, one in TEMPLATE["parameters"].items() if "defaultValue" not in one]
    assert needed == ["signInClientId", "sharePointSiteUrl"]
    found = template()
    found._given = {"signInClientId": "id", "sharePointSiteUrl": "https://contoso.sharepoint.com/sites/crm"}
    assert re.fullmatch(r"[a-z0-9-]{2,43}", site(found)["name"])


def test_every_parameter_says_what_it_is_for():
    for name, one in TEMPLATE["parameters"].items():
        assert len(one["metadata"]["description"]) > 10, name
        assert one["type"] not in ("securestring", "secureObject"), "secrets go into the vault by hand"


def test_every_dependency_is_a_resource_of_the_template():
    found = template()
    known = {found.identifier(one) for one in found.resources} | {one.get("copy") for one in found.resources}
    for one in found.resources:
        missing = [name for name in one.get("dependsOn", []) if name not in known]
        assert not missing, (one["type"], missing)


def test_names_keep_the_rules_of_their_kinds():
    found = template()
    (storage,) = of_type(found, "Microsoft.Storage/storageAccounts")
    (vault,) = of_type(found, "Microsoft.KeyVault/vaults")
    assert re.fullmatch(r"[a-z0-9]{3,24}", storage["name"])
    assert re.fullmatch(r"[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]", vault["name"])
    identifiers = [found.identifier(one) for one in found.resources]
    assert len(set(identifiers)) == len(identifiers)


def test_properties_and_values_are_those_of_azures_models():
    found = template()
    assert {one["type"] for one in found.resources} == MODELS.keys() | WITHOUT_MODEL
    assert list(problems(found.resources)) == []


def problems(resources: list[dict[str, Any]]) -> Iterator[str]:
    for one in resources:
        if one["type"] in MODELS:
            written = {name: value for name, value in one.items() if name not in ("apiVersion", "dependsOn", "scope")}
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                yield from walk(MODELS[one["type"]], written, one["type"])


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("properties", "httpsOnlyy"), True, "httpsOnlyy"),
        (("properties", "httpsOnly"), "yes", "neither true nor false"),
        (("properties", "functionAppConfig", "scaleAndConcurrency", "instanceMemoryMb"), 2048, "instanceMemoryMb"),
        (("properties", "functionAppConfig", "deployment", "storage", "type"), "blobContaner", "none of blobContainer"),
        (("identity", "type"), "UserAsigned", "UserAsigned is none of"),
        (("properties", "siteConfig", "appSettings"), [{"nam": "a"}], "appSettings[0].nam"),
    ],
)
def test_a_slip_would_be_found(path, value, said):
    """The check above can fail: misspelt names and values at any depth."""
    resource = site(template())
    at = resource
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    assert any(said in problem for problem in problems([resource])), list(problems([resource]))


@pytest.mark.parametrize(
    "text",
    ["[variable('a')]", "[variables('a'", "[parameters('nowhere')]", "[concat('a',)x]", "[resourceId('A/b/c', 'one')]"],
)
def test_a_wrong_expression_would_be_found(text):
    with pytest.raises(TemplateError):
        template().value(text)


def test_the_identity_has_the_roles_it_needs_and_no_other():
    found = template()
    given = {}
    for one in of_type(found, "Microsoft.Authorization/roleAssignments"):
        assert one["properties"]["principalId"] == found.outputs["identityPrincipalId"]
        assert one["properties"]["principalType"] == "ServicePrincipal"
        role = one["properties"]["roleDefinitionId"].rpartition("/")[2]
        given[one["properties"]["description"].removeprefix("The worker: ")] = role
        assert one["scope"].startswith(("Microsoft.Storage/storageAccounts/", "Microsoft.KeyVault/vaults/"))
    assert given == ROLES


def test_storage_takes_no_keys_and_shows_nothing_to_the_public():
    (storage,) = of_type(template(), "Microsoft.Storage/storageAccounts")
    properties = storage["properties"]
    assert properties["allowSharedKeyAccess"] is False
    assert properties["allowBlobPublicAccess"] is False
    assert properties["supportsHttpsTrafficOnly"] is True
    assert properties["minimumTlsVersion"] == "TLS1_2"


def test_the_app_runs_on_flex_consumption_with_its_own_identity():
    found = template()
    (plan,) = of_type(found, "Microsoft.Web/serverfarms")
    assert plan["sku"] == {"tier": "FlexConsumption", "name": "FC1"}
    app = site(found)
    config = app["properties"]["functionAppConfig"]
    assert config["runtime"] == {"name": "python", "version": load("build").TARGET}
    identity = config["deployment"]["storage"]["authentication"]["userAssignedIdentityResourceId"]
    assert list(app["identity"]["userAssignedIdentities"]) == [identity]
    assert app["properties"]["keyVaultReferenceIdentity"] == identity
    containers = of_type(found, "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert config["deployment"]["storage"]["value"].rpartition("/")[2] in [
        one["name"].rpartition("/")[2] for one in containers
    ]
    assert app["properties"]["httpsOnly"] is True


def test_pythons_on_offer_are_those_that_can_be_built():
    assert tuple(TEMPLATE["parameters"]["pythonVersion"]["allowedValues"]) == load("build").RUNTIMES


def test_nothing_is_set_that_flex_consumption_refuses():
    found = template()
    assert [name for name in app_settings(found) if FORBIDDEN_SETTINGS.fullmatch(name)] == []
    assert set(all_names(site(found))) & FORBIDDEN_PROPERTIES == set()


def all_names(written: Any) -> Iterator[str]:
    if isinstance(written, dict):
        for name, value in written.items():
            yield name
            yield from all_names(value)
    elif isinstance(written, list):
        for one in written:
            yield from all_names(one)


def test_every_app_setting_is_read_by_somebody():
    assert set(app_settings(template())) - known_names() - PLATFORM_SETTINGS == set()


def test_every_secret_is_a_reference_to_the_vault():
    names = ["ECONOMIC_APP_SECRET", "ECONOMIC_GRANT_TOKEN", "SHAREPOINT_CERTIFICATE", "ENGINE_ALERT_URL"]
    settings = app_settings(template(secretSettings=names))
    secret = secrets_of_the_worker() | {"SHAREPOINT_CERTIFICATE"}
    assert secret & settings.keys() == set(names)
    for name in names:
        address = re.fullmatch(
            r"@Microsoft\.KeyVault\(SecretUri=https://([\w-]+)\.vault\.azure\.net(.+)\)", settings[name]
        )
        assert address, settings[name]
        assert address[1] == template().outputs["vaultName"]
        assert address[2] == f"/secrets/{name.lower().replace('_', '-')}/"
    assert not any("AccountKey" in value for value in settings.values())


def test_a_worker_with_these_settings_starts(tmp_path, monkeypatch):
    """Once the platform has put the secrets in the references' place, the worker's own settings accept them all."""
    monkeypatch.chdir(tmp_path)
    for name in known_names():
        monkeypatch.delenv(name, raising=False)
    found = template(
        secretSettings=["ECONOMIC_APP_SECRET", "ECONOMIC_GRANT_TOKEN", "SHAREPOINT_CERTIFICATE", "ENGINE_ALERT_URL"]
    )
    for name, value in app_settings(found).items():
        monkeypatch.setenv(name, "-----BEGIN secret" if value.startswith("@Microsoft.KeyVault") else value)
    load("vault").prepare_environment(folder=tmp_path / "certificates")
    installation = load_installation()
    assert installation.broken == {}
    engine = installation.engine
    assert engine.store == "azure"
    assert engine.storage_account == found.outputs["storageName"]
    assert engine.storage_identity == found.outputs["identityClientId"]
    assert engine.alert_url
    default = installation.connections["default"]
    assert default.sharepoint.certificate_path == tmp_path / "certificates" / "SHAREPOINT_CERTIFICATE"
    assert default.economic.agreement == 1234567
    assert installation.insights


def test_queues_container_and_limits_are_the_same_on_both_sides():
    found = template()
    settings = app_settings(found)
    queues = {
        one["name"].split("/")[2] for one in of_type(found, "Microsoft.Storage/storageAccounts/queueServices/queues")
    }
    assert queues == {settings["ENGINE_QUEUE"], f"{settings['ENGINE_QUEUE']}-poison"}
    containers = of_type(found, "Microsoft.Storage/storageAccounts/blobServices/containers")
    assert settings["ENGINE_CONTAINER"] in {one["name"].split("/")[2] for one in containers}
    hours, minutes, seconds = (int(part) for part in read_json("host.json")["functionTimeout"].split(":"))
    assert float(settings["ENGINE_FUNCTION_LIMIT"]) == hours * 3600 + minutes * 60 + seconds


def test_with_a_managed_identity_nothing_is_left_of_the_certificate():
    found = template(sharePointAuth="managed-identity", secretSettings=["ECONOMIC_APP_SECRET", "ECONOMIC_GRANT_TOKEN"])
    settings = app_settings(found)
    assert settings["SHAREPOINT_CLIENT_ID"] == found.outputs["identityClientId"]
    assert "SHAREPOINT_CERTIFICATE" not in settings


def test_nobody_gets_in_without_signing_in():
    (auth,) = of_type(template(allowedClientIds=["other"]), "Microsoft.Web/sites/config")
    assert auth["name"].endswith("/authsettingsV2")
    properties = auth["properties"]
    assert properties["platform"]["enabled"] is True
    assert properties["globalValidation"]["requireAuthentication"] is True
    assert properties["globalValidation"]["excludedPaths"] == ["/healthz", "/hooks/*"]
    entra = properties["identityProviders"]["azureActiveDirectory"]
    assert entra["registration"]["openIdIssuer"] == "https://login.microsoftonline.com/<tenant>/v2.0"
    own = entra["registration"]["clientId"]
    assert entra["validation"]["defaultAuthorizationPolicy"]["allowedApplications"] == [own, "other"]
    assert properties["httpSettings"]["requireHttps"] is True


def test_the_roles_to_register_are_the_consoles_with_ids_of_their_own():
    roles = read_json("infra/app-roles.json")
    assert [one["value"] for one in roles] == [role.value for role in Role]
    assert len({one["id"] for one in roles}) == len(roles)
    assert all(one["isEnabled"] and "User" in one["allowedMemberTypes"] for one in roles)


def test_the_guide_names_what_the_template_gives():
    """Outputs and parameters that the guide speaks of exist."""
    guide = (APP / "infra" / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"outputs\.(\w+)", guide):
        assert name in TEMPLATE["outputs"], name
    for name in ("azuredeploy.json", "azuredeploy.parameters.example.json", "app-roles.json", "smoke.py"):
        assert name in guide
        assert (APP / "infra" / name).is_file(), name
