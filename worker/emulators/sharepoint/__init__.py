"""A local SharePoint: the list endpoints of one site over real HTTP, kept in SQLite.

It speaks the wire formats that Office365-REST-Python-Client and @pnp/sp use, so clients nobody here wrote can work
against it. Facts come from the SharePoint REST reference; what that calls unconfirmed is a switch.
"""
