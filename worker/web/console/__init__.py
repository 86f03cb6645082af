"""The administrators' pages, at /manage."""

from worker.web.console import connection, overview

routers = (overview.router, connection.router)
