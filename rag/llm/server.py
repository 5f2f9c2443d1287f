"""A server, its patience and its refusals: what embeddings and chat share.

The client's own retries are off: it would try an empty account again and again, and its retries
would multiply with ours. Its time limit is per read, so that an answer that drips never ends; here
a request and its retries have one deadline, looked at between any two pieces of an answer.
"""

from __future__ import annotations

import base64
import email.utils
import random
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from rag.errors import PaperChatError
from rag.llm.gate import GATE

if TYPE_CHECKING:
    import openai

T = TypeVar("T")

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # the client insists on a key; servers without keys ignore it

# A 429 that waiting does not mend.
_HOPELESS = {"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"}
_PASSING = {408, 409, 429}  # and every 5xx
_AZURE = (  # hosts that want the key in a header of its own
    ".openai.azure.com",
    ".openai.azure.us",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
    ".azure-api.net",
)
_MOST_SAID = 200  # characters of a server's own words that a sentence repeats


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server; all times in seconds."""

    attempts: int = 8  # where the server answers that it is busy or broken
    calls: int = 4  # where nobody answers: a person who forgot to start a server waits for this
    first_pause: float = 0.5  # doubled with each attempt, unless the server says how long
    connect: float = 5.0
    silence: float = 60.0  # between two pieces of an answer, and before the first one
    deadline: float = 150.0  # for one request, its retries included


@dataclass(frozen=True, slots=True)
class Wording:
    """How a refusal is told: the words that differ between kinds of model."""

    error: type[PaperChatError]
    kind: str  # "embedding" or "language"
    setting: str  # the name that chooses the model
    unfit: str  # what to check of the model, after "is"


class Server:
    """One model's server. Safe to use from many threads."""

    def __init__(
        self,
        name: str,
        api_key: str | None,
        base_url: str | None,
        patience: Patience | None,
        wording: Wording,
    ) -> None:
        """Prepare to ask for the model *name*; nothing is sent yet.

        Without *base_url* it is OpenAI's own server.
        """
        self.name = name
        self.patience = patience or Patience()
        self.wording = wording
        self._key = api_key
        self._url = base_url or OPENAI_URL
        self._client: openai.OpenAI | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Server({self.host})"

    @property
    def host(self) -> str:
        """The host, with its port if one is given, and without user and password."""
        return urlsplit(self._url).netloc.rpartition("@")[2].lower()

    def client(self) -> openai.OpenAI:
        """The one client, and with it the pool of connections."""
        import openai  # late: half a second that the embedded model does not pay

        with self._lock:
            if self._client is None:
                parts = urlsplit(self._url)
                # The address without user and password: the HTTP library logs whole addresses.
                bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
                # Both are always given, or the client would look for them in the environment.
                self._client = openai.OpenAI(
                    api_key=self._key or NO_KEY,
                    base_url=urlunsplit(bare),
                    max_retries=0,
                    default_headers=self._headers(),
                    default_query=dict(parse_qsl(parts.query)),  # Azure's api-version
                )
                weakref.finalize(self, self._client.close)  # its connections stay open else
            return self._client

    def limits(self, ends: float) -> openai.Timeout:
        """The client's limits for a request that must end at *ends* (monotonic seconds)."""
        import openai

        silence = max(0.001, min(self.patience.silence, ends - time.monotonic()))
        return openai.Timeout(silence, connect=min(silence, self.patience.connect))

    def patiently(
        self, ask: Callable[[float], T], sleep: Callable[[float], object] = time.sleep
    ) -> T:
        """What *ask* returns, asked again while that may help.

        It is given the time at which all must end, in monotonic seconds, and raises OpenAIError.
        A server that told any thread to wait is not asked before. Raises the wording's error.
        """
        import openai

        ends = time.monotonic() + self.patience.deadline
        attempt = unanswered = 0
        while True:
            attempt += 1
            while held := GATE.held(self.host):
                if time.monotonic() + held >= ends:
                    raise self.wording.error(self._limited())
                sleep(held)
            try:
                return ask(ends)
            except openai.OpenAIError as error:
                failure = error
            unanswered += getattr(failure, "status_code", None) is None
            pause = self._pause(failure, attempt, unanswered)
            if pause is None or time.monotonic() + pause >= ends:
                raise self.explained(failure) from self.harmless(failure)
            if getattr(failure, "status_code", None) == 429 and _retry_after(failure) is not None:
                GATE.hold(self.host, pause)
            else:  # a limit without a time says nothing of when others may ask
                sleep(pause)

    def explained(self, error: openai.OpenAIError) -> PaperChatError:
        """What went wrong, and what to do about it, in one sentence."""
        import openai

        kind, host = self.wording.kind, self.host
        if isinstance(error, openai.APIStatusError):
            sentence = self._refusal(error)
        elif isinstance(error, openai.APITimeoutError):
            sentence = (
                f"the {kind} server {host} did not answer in time; look whether it is"
                " overloaded, and try again"
            )
        elif said := self.said(error):
            sentence = f"the {kind} server {host} fails ({said[2:]}); try again later"
        else:
            sentence = (
                f"the {kind} server {host} cannot be reached or broke off; check that it runs, the"
                " network, and OPENAI_BASE_URL"
            )
        return self.wording.error(sentence)

    def harmless(self, error: openai.OpenAIError) -> openai.OpenAIError | None:
        """*error* as a cause to show; None where it repeats a secret."""
        # A server may repeat the key in its answer, which a traceback would show.
        told = f"{error}{vars(error)!r}"
        return None if any(secret in told for secret in self._secrets()) else error

    def said(self, error: openai.OpenAIError) -> str:
        """The server's own words after a colon, one line of them, without secrets; or nothing."""
        body = getattr(error, "body", None)
        words = (body.get("message") or body.get("detail")) if isinstance(body, dict) else None
        if not isinstance(words, str) or not words.strip():
            return ""
        return f": {self.redacted(' '.join(words.split()))}"[:_MOST_SAID]

    def redacted(self, text: str) -> str:
        """*text* without the key and the address's password."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> list[str]:
        password = urlsplit(self._url).password or ""
        found = {self._key or "", password, unquote(password), self._basic()}
        return sorted(found - {""}, key=len, reverse=True)

    def _basic(self) -> str:
        """User and password of the address, as a header wants them; empty without."""
        parts = urlsplit(self._url)
        if not parts.username:
            return ""
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        return base64.b64encode(pair.encode()).decode()

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        if basic := self._basic():
            headers["Authorization"] = f"Basic {basic}"
        if self._key and self.host.partition(":")[0].endswith(_AZURE):
            headers["api-key"] = self._key
        return headers

    def _pause(self, error: openai.OpenAIError, attempt: int, unanswered: int) -> float | None:
        """Seconds to wait before trying again; None if that would not help.

        A server that has refused some of the attempts and hangs up on one is there all the same.
        """
        status = getattr(error, "status_code", None)
        given_up = status is None and unanswered >= self.patience.calls
        if given_up or attempt >= self.patience.attempts or hopeless(error):
            return None
        if status is not None and status not in _PASSING and status < 500:
            return None
        pause = self.patience.first_pause * 2 ** (attempt - 1)
        asked = _retry_after(error)
        # Spread, so that many threads that failed together do not come back together.
        return pause * random.uniform(1, 1.25) if asked is None else asked

    def _limited(self) -> str:
        return f"the server {self.host} limits how fast it may be asked (429); try again later"

    def _refusal(self, error: openai.APIStatusError) -> str:
        """The sentence for an answer that is an error status."""
        kind, host, name = self.wording.kind, self.host, self.name
        said = f"{error.status_code}{self.said(error)}"
        match error.status_code:
            case 401 | 403 if self._key:
                return (
                    f"the server {host} refuses the key ({error.status_code}); check OPENAI_API_KEY"
                )
            case 401 | 403:
                return f"the server {host} asks for a key ({error.status_code}); set OPENAI_API_KEY"
            case 404:
                return (
                    f"the server {host} has no {kind} model {name} at this address (404); check"
                    f" {self.wording.setting} and OPENAI_BASE_URL, which often ends in /v1"
                )
            case status if status == 402 or hopeless(error):
                return (
                    f"the account at {host} has no credit left ({error.status_code}); check its"
                    " plan and billing"
                )
            case 429:
                return self._limited()
            case status if status >= 500:
                return f"the {kind} server {host} fails ({said}); try again later"
        return (
            f"the server {host} does not take the request ({said}); check that"
            f" {name} is {self.wording.unfit}"
        )


def hopeless(error: openai.OpenAIError) -> bool:
    """Whether an account is empty, which no waiting mends."""
    return bool({getattr(error, "code", None), getattr(error, "type", None)} & _HOPELESS)


def _retry_after(error: openai.OpenAIError) -> float | None:
    """The seconds that the server asks to wait, if it says so: a number of them, or a date."""
    response: Any = getattr(error, "response", None)
    headers = getattr(response, "headers", {})
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers[name]) * unit
        except (KeyError, ValueError):
            continue
        return seconds if seconds >= 0 else None  # nor is NaN
    try:
        date = email.utils.parsedate_to_datetime(headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, date.timestamp() - time.time())
