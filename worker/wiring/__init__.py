"""The one place that turns settings into real objects and joins them."""

from worker.wiring.app import App, build_app
from worker.wiring.engine import Host, build_host

__all__ = ["App", "Host", "build_app", "build_host"]
