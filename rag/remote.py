"""How a Chroma server is reached: patiently, and never for ever.

Everything that a store asks of a server may be asked twice with the same outcome (records are added
under ids that name their content, and deleted by them), so that a lost connection is tried again
for a few seconds, which bridges a restart. A server that is slow is not: it would only be slower.
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from rag.errors import StoreAway, StoreError

WAIT = 30.0  # seconds for an answer
KNOCK = 5.0  # seconds for the first one
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)  # seconds before each further try of a lost connection
MAJOR = "1"  # of Chroma: another one speaks another language


@dataclass(frozen=True, slots=True)
class Server:
    """Where a Chroma server listens; *headers* may hold a password."""

    host: str
    port: int
    ssl: bool
    headers: dict[str, str]

    @property
    def shown(self) -> str:
        """The address without a password."""
        return f"{'https' if self.ssl else 'http'}://{self.host}:{self.port}"


def parsed(url: str) -> Server:
    """The server at *url*, `http(s)://[user:password@]host[:port]`. Raises StoreError."""
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        raise StoreError("PAPERCHAT_CHROMA_URL has a path: write it as http://host:port")
    headers: dict[str, str] = {}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
    ssl = parts.scheme == "https"
    return Server(parts.hostname or "", parts.port or (443 if ssl else 8000), ssl, headers)


class Patient(httpx.BaseTransport):
    """A transport that tries a lost connection again, and times out."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx wants it."""
        for pause in (*PAUSES, None):
            try:
                return self._inner.handle_request(request)
            except httpx.TimeoutException:
                raise
            except httpx.TransportError:
                if pause is None:
                    raise
                time.sleep(pause)
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Let go of the connections."""
        self._inner.close()


def patient_session(server: Server) -> httpx.Client:
    """A session for Chroma's client: with an end to its patience, and past any proxy."""
    headers = {**server.headers, "Content-Type": "application/json"}
    return httpx.Client(transport=Patient(), timeout=WAIT, headers=headers)


def check(server: Server) -> None:
    """Knock. Raises StoreAway if nobody opens, StoreError if it is not a Chroma that we know."""
    try:
        with httpx.Client(transport=Patient(), timeout=KNOCK, headers=server.headers) as session:
            found = session.get(f"{server.shown}/api/v2/version")
    except httpx.TimeoutException as error:
        raise StoreAway(
            f"the Chroma server at {server.shown} gave no answer within {KNOCK:.0f} s; look after"
            " it, or unset PAPERCHAT_CHROMA_URL"
        ) from error
    except httpx.HTTPError as error:
        raise away(server, error) from error
    if found.status_code in (401, 403):
        raise StoreError(
            f"the Chroma server at {server.shown} wants a login; write it into"
            " PAPERCHAT_CHROMA_URL as http://user:password@host:port"
        )
    version = found.text.strip().strip('"')
    if found.status_code != httpx.codes.OK or not version[:1].isdigit():
        raise StoreError(
            f"what answers at {server.shown} is no Chroma server (status {found.status_code});"
            " correct PAPERCHAT_CHROMA_URL"
        )
    if version.partition(".")[0] != MAJOR:
        raise StoreError(
            f"the Chroma server at {server.shown} has version {version[:20]}, this PaperChat speaks"
            f" to {MAJOR}.x; install that there, or unset PAPERCHAT_CHROMA_URL"
        )


def away(server: Server, error: BaseException) -> StoreAway:
    """The sentence for a server that cannot be reached."""
    return StoreAway(
        f"the Chroma server at {server.shown} cannot be reached ({type(error).__name__}); start it,"
        " or unset PAPERCHAT_CHROMA_URL"
    )


def is_lost(error: BaseException) -> bool:
    """Whether *error* says that the server is not there or does not answer."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, httpx.TransportError):
            return True
        seen = seen.__cause__ or seen.__context__
    return "Could not connect" in str(error)
