"""The classic REST resources."""

from starlette.routing import Route

from worker.emulators.economic.classic import booking, contacts, customers, invoices, master, totals
from worker.emulators.economic.context import Context


def classic_routes(ctx: Context) -> list[Route]:
    """Every classic route, the busiest first."""
    modules = (customers, invoices, contacts, master, booking, totals)
    return [route for module in modules for route in module.routes(ctx)]
