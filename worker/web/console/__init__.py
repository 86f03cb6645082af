"""The administrators' pages, at /manage."""

from worker.web.console import connection, customer, overview, plan_pages, runs

routers = (overview.router, connection.router, runs.router, plan_pages.router, customer.router)
