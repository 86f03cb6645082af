"""The administrators' pages, at /manage."""

from worker.web.console import connection, customer, linking, overview, plan_pages, profiles, reconciling, runs

routers = (
    overview.router,
    connection.router,
    profiles.router,
    runs.router,
    plan_pages.router,
    customer.router,
    linking.router,
    reconciling.router,
)
