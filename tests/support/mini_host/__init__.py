"""A small stand-in for the Functions host around Microsoft's real Python worker.

The worker that runs the app is the package `azure-functions-runtime`, the same code and version as in Azure, in a
process of its own with the app's folder and packages. The host around it is ours: it reads host.json and the bindings
the worker reports, resolves app settings, checks keys, serves HTTP, fires timers, and feeds storage queues with tries
and poison. What the real host does beyond that (scaling, its key store, extension bundles, the timer's lock, sign-in)
is not here.

    python -m tests.support.mini_host install
"""

from tests.support.mini_host.front import SignIn, principal_headers
from tests.support.mini_host.host import HostError, Invocation, MiniHost

__all__ = ["HostError", "Invocation", "MiniHost", "SignIn", "principal_headers"]
