"""Money facts for everybody who works with the CRM, at /economy."""

from worker.web.economy.pages import router

__all__ = ["router"]
