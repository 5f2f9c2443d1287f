"""Who is asking: a person who signed in, or a visitor known by a cookie that no script can read."""

from __future__ import annotations

import hashlib
import secrets
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "paperchat_visitor"
_YEAR = 365 * 24 * 3600


def owner_of(request: Any) -> str:
    """The name under which the conversations of whoever sent *request* are kept.

    A visitor's is a digest of their cookie: what is in the file opens nobody's conversations.
    """
    if request is None:
        return ""
    name = getattr(request, "username", None)
    return owner(name, request.cookies.get(COOKIE, ""), getattr(request, "session_hash", "") or "")


def owner(name: str | None, cookie: str, session: str = "") -> str:
    """The owner's name for one who signed in as *name*, or who came with this *cookie*."""
    if name:
        return f"user:{name}"
    known = cookie if len(cookie) >= 20 else session
    return f"visitor:{hashlib.sha256(known.encode()).hexdigest()[:32]}" if known else ""


def cookie_in(header: bytes) -> str:
    """The visitor's cookie in the Cookie *header*; empty if there is none."""
    try:
        found = SimpleCookie(header.decode("latin-1")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def new_cookie() -> bytes:
    """A Set-Cookie header that makes a new visitor."""
    value = secrets.token_urlsafe(24)
    text = f"{COOKIE}={value}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Lax"
    return text.encode("ascii")
