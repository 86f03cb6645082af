"""What every page needs: assets, an error as a page, and the way to sign in."""

from __future__ import annotations

import json
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response

from worker.web.access import Access
from worker.web.render import page, static_files

router = APIRouter(include_in_schema=False)
# Paths that programs use: their errors are problem details, everything else is looked at by a person.
_FOR_PROGRAMS = ("/manage/api/", "/healthz", "/readyz", "/hooks/")
_KEPT = frozenset({"retry-after", "www-authenticate", "allow"})
_FOR_GOOD = "public, max-age=31536000, immutable"


@router.get("/static/{name}")
def static(name: str) -> Response:
    """An asset. Its address changes with its content."""
    found = static_files().get(name)
    if found is None:
        raise HTTPException(404, "There is no such file.")
    return Response(found[0], media_type=found[1], headers={"Cache-Control": _FOR_GOOD})


def is_page(request: Request) -> bool:
    """Whether a person looks at what comes from this address."""
    return not request.url.path.startswith(_FOR_PROGRAMS)


def as_page(request: Request, answer: JSONResponse) -> Response:
    """An error as people read it, where people look. Behind the platform's sign-in, somebody who is not signed in is
    sent there and comes back here."""
    if not is_page(request):
        return answer
    access: Access = request.app.state.access
    status = answer.status_code
    if status == 401 and not access.has_login and request.method == "GET":
        back = quote(request.url.path, safe="/")
        return RedirectResponse(f"/.auth/login/aad?post_login_redirect_uri={back}", 303)
    told = {"hint": "", "problems": [], "reference": "", **json.loads(bytes(answer.body))}
    made = page(request, "error.html", None, told, status=status)
    made.headers.update({name: value for name, value in answer.headers.items() if name in _KEPT})
    return made
