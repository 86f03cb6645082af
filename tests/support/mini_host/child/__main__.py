"""The worker process: reads requests as JSON lines from its input and answers on its output.

    python tests/support/mini_host/child APP_FOLDER [MORE_PATH ...]

Only the standard library and what the application brings: an app in a zip is run with nothing else beside it.
"""

import asyncio
import json
import logging
import os
import sys
import traceback
from pathlib import Path
from typing import Any

PACKAGES = Path(".python_packages") / "lib" / "site-packages"


def main() -> None:
    """Takes over the output for answers; what the app prints goes to the errors' stream."""
    folder, *more = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    own = sys.path.pop(0)  # this folder's modules must not stand in for the app's
    sys.path.insert(0, own)
    from library import Library

    sys.path.remove(own)
    sys.path[:0] = [folder, str(Path(folder) / PACKAGES), *more]
    os.chdir(folder)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)  # the platform's process relays from this level on
    asyncio.run(_serve(Library(), folder, answers))
    os._exit(0)  # no waiting for what the app still has under way: the platform does not wait either


async def _serve(library: Any, folder: str, answers: Any) -> None:
    loop = asyncio.get_running_loop()
    under_way = set()

    async def work(line: str) -> None:
        request = json.loads(line)
        try:
            done = await (library.index(folder) if request["kind"] == "index" else library.invoke(request))
        except Exception:  # noqa: BLE001  # whoever waits for the answer hears of it
            done = {"ok": False, "error": "the library worker itself failed", "trace": traceback.format_exc()}
        answers.write(json.dumps({"id": request["id"], **done}) + "\n")
        answers.flush()

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = loop.create_task(work(line))
        under_way.add(task)
        task.add_done_callback(under_way.discard)


if __name__ == "__main__":
    main()
