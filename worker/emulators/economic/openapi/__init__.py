"""The OpenAPI services."""

from starlette.routing import Route

from worker.emulators.economic.context import Context
from worker.emulators.economic.openapi import booked_entries, contacts, customers, sales, webhooks


def open_routes(ctx: Context) -> list[Route]:
    """Every route of every service, below `/{service}` in lower case."""
    modules = (contacts, customers, sales, booked_entries, webhooks)
    return [route for module in modules for route in module.routes(ctx)]
