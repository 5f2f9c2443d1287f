"""Who is asking: a person who signed in, or a visitor known by a cookie that no script can read.

A password file holds `user:password` lines; a password may stand there hashed, as
`scrypt$SALT$HASH`, which `hashed` writes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from http.cookies import CookieError, SimpleCookie
from typing import Any

COOKIE = "paperchat_visitor"
SESSION = "paperchat_session"
_YEAR = 365 * 24 * 3600
_STAYS = 30 * 24 * 3600  # seconds that a person stays signed in
_MOST_SESSIONS = 10_000
_TRIES, _WINDOW = 10, 60.0  # wrong passwords for one name within so many seconds
_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


def hashed(password: str, salt: bytes | None = None) -> str:
    """*password* as it may stand in a password file: scrypt with a salt of its own.

    >>> hashed("secret", b"0" * 16)[:20]
    'scrypt$3030303030303'
    """
    salt = salt or secrets.token_bytes(16)
    made = hashlib.scrypt(password.encode(), salt=salt, **_COST)
    return f"scrypt${salt.hex()}${made.hex()}"


def matches(password: str, kept: str) -> bool:
    """Whether *password* is the one that *kept*, hashed or plain, stands for."""
    kind, _, rest = kept.partition("$")
    salt, _, _ = rest.partition("$")
    if kind == "scrypt" and rest:
        try:
            return hmac.compare_digest(hashed(password, bytes.fromhex(salt)), kept)
        except ValueError:
            return False
    return hmac.compare_digest(password.encode(), kept.encode())


class People:
    """Those who may use the page, and who of them is signed in. Safe for many threads."""

    def __init__(self, users: Sequence[tuple[str, str]] = ()) -> None:
        """*users* are (name, password) pairs; with none, everybody is a visitor."""
        self._users = dict(users)
        self._sessions: dict[str, tuple[str, float]] = {}  # digest of the token: name, until when
        self._wrong: dict[str, list[float]] = {}
        self._right: dict[str, str] = {}  # digest of what was checked: name; scrypt is slow
        self._salt = secrets.token_bytes(16)
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether one has to sign in."""
        return bool(self._users)

    def sign_in(self, name: str, password: str) -> str:
        """A token for the person who knows the password; empty for anybody else."""
        if not self._knows(name, password):
            return ""
        token = secrets.token_urlsafe(32)
        with self._lock:
            if len(self._sessions) >= _MOST_SESSIONS:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[_digest(token)] = (name, time.time() + _STAYS)
        return token

    def sign_out(self, token: str) -> None:
        """Forget the token."""
        with self._lock:
            self._sessions.pop(_digest(token), None)

    def name_of(self, headers: Mapping[str, str]) -> str:
        """Who sent these (lower-case) *headers*, by cookie or Basic authentication; else empty."""
        token = in_cookies(headers.get("cookie", ""), SESSION)
        with self._lock:
            name, until = self._sessions.get(_digest(token), ("", 0.0)) if token else ("", 0.0)
        if name and until > time.time():
            return name
        name, password = _basic(headers.get("authorization", ""))
        return name if name and self._knows(name, password) else ""

    def owner_of(self, request: Any) -> str:
        """The name under which the conversations of whoever sent *request* are kept."""
        return self.owner(request.headers) if request is not None else ""

    def owner(self, headers: Mapping[str, str]) -> str:
        """Likewise, by the headers alone; empty where nobody can be told from anybody else.

        A visitor's is a digest of their cookie: what is in the file opens nobody's conversations.
        """
        if self.closed:
            name = self.name_of(headers)
            return f"user:{name}" if name else ""
        known = in_cookies(headers.get("cookie", ""), COOKIE)
        return f"visitor:{_digest(known)[:32]}" if len(known) >= 20 else ""

    def _knows(self, name: str, password: str) -> bool:
        """Whether the password is right; after many wrong ones, nothing is for a while."""
        kept, now = self._users.get(name), time.monotonic()
        seen = hashlib.sha256(self._salt + f"{name}\0{password}\0{kept}".encode()).hexdigest()
        with self._lock:
            if self._right.get(name) == seen:
                return True
            wrong = [at for at in self._wrong.get(name, []) if now - at < _WINDOW]
            if len(wrong) >= _TRIES:
                return False
        # somebody who is not there takes as long as somebody who is
        right = matches(password, kept if kept is not None else _NOBODY) and kept is not None
        with self._lock:
            if right:
                self._right[name] = seen
            elif kept is not None:
                self._wrong[name] = [*wrong, now]
        return right


_NOBODY = hashed(secrets.token_hex(16))


def in_cookies(header: str, name: str) -> str:
    """The cookie called *name* in the Cookie *header*; empty if there is none."""
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


def visitor_cookie() -> str:
    """A Set-Cookie header that makes a new visitor."""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Lax"


def session_cookie(token: str) -> str:
    """A Set-Cookie header that signs a person in; with an empty token, out."""
    age = _STAYS if token else 0
    return f"{SESSION}={token}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax"


def _basic(header: str) -> tuple[str, str]:
    kind, _, coded = header.partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(coded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
