"""The administrators' pages, at /manage."""

from worker.web.console import (
    connection,
    creating,
    customer,
    linking,
    live,
    overview,
    plan_pages,
    profiles,
    reconciling,
    runs,
    undoing,
)

routers = (
    overview.router,
    connection.router,
    profiles.router,
    runs.router,
    plan_pages.router,
    customer.router,
    linking.router,
    reconciling.router,
    creating.router,
    live.router,
    undoing.router,
)
