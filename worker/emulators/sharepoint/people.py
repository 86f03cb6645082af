"""The site's users: the app itself and two people, so that edits by hand can be told from the worker's."""

from __future__ import annotations

from typing import Any

APP_USER = 1073741822
_LOGIN = "i:0#.f|membership|"
USERS: dict[int, dict[str, Any]] = {
    APP_USER: {
        "Title": "SharePoint App",
        "Email": "",
        "LoginName": "i:0i.t|00000003-0000-0ff1-ce00-000000000000|app@sharepoint",
    },
    9: {
        "Title": "Anne Holm",
        "Email": "anne.holm@example.dk",
        "LoginName": f"{_LOGIN}anne.holm@example.dk",
    },
    10: {
        "Title": "Peter Lund",
        "Email": "peter.lund@example.dk",
        "LoginName": f"{_LOGIN}peter.lund@example.dk",
    },
}


def user_json(user_id: int) -> dict[str, Any]:
    """A user as REST shows one."""
    user = USERS.get(user_id, {"Title": f"User {user_id}", "Email": "", "LoginName": f"{_LOGIN}user{user_id}"})
    return {
        "Id": user_id,
        "IsHiddenInUI": False,
        "LoginName": user["LoginName"],
        "Title": user["Title"],
        "PrincipalType": 1,
        "Email": user["Email"],
        "Expiration": "",
        "IsEmailAuthenticationGuestUser": False,
        "IsShareByEmailGuestUser": False,
        "IsSiteAdmin": False,
        "UserPrincipalName": user["Email"] or None,
    }


def user_title(user_id: int) -> str:
    return str(user_json(user_id)["Title"])


def find_user(text: str) -> int | None:
    """The id of the user with this login name, address or title."""
    wanted = text.lower()
    for user_id in USERS:
        shown = user_json(user_id)
        if wanted in (str(shown[name]).lower() for name in ("LoginName", "Email", "Title")):
            return user_id
    return None
