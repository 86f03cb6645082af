"""The administrators' pages, at /manage."""

from worker.web.console import connection, overview, plan_pages, runs

routers = (overview.router, connection.router, runs.router, plan_pages.router)
