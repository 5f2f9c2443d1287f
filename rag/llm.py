"""Models behind an OpenAI-compatible server: the only door to openai.

The client's own retries are off: it would try an empty account again and again, and its retries
would multiply with ours. Its time limit is per read, so that an answer that drips never ends; here
a request and its retries have one deadline, looked at between any two pieces of an answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from rag.errors import EmbeddingError

if TYPE_CHECKING:
    import openai
    from numpy.typing import NDArray

OPENAI_URL = "https://api.openai.com/v1"
NO_KEY = "none"  # the client insists on a key; servers without keys ignore it

# A token has at least one byte, so that limits in bytes hold for every tokenizer. OpenAI reads
# 8,192 tokens of a text and takes 300,000 a request; a model on one processor wants fewer.
MOST_BYTES = 8_000
BATCH_TEXTS = 100
BATCH_BYTES = 64_000
MOST_RESPONSE_BYTES = 64_000_000  # 100 vectors of 4,096 numbers take 9 million

_HOPELESS = {"insufficient_quota", "billing_hard_limit_reached"}  # a 429 that waiting does not mend
_PASSING = {408, 409, 429}  # and every 5xx


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server; all times in seconds."""

    attempts: int = 8  # where the server answers that it is busy or broken
    calls: int = 4  # where nobody answers: a person who forgot to start a server waits for this
    first_pause: float = 0.5  # doubled with each attempt, unless the server says how long
    connect: float = 5.0
    silence: float = 60.0  # between two pieces of an answer
    deadline: float = 150.0  # for one request, its retries included


class OpenAIEmbedder:
    """An `Embedder` at an OpenAI-compatible server. Safe to use from many threads."""

    def __init__(
        self,
        name: str,
        api_key: str | None,
        base_url: str | None,
        patience: Patience | None = None,
    ) -> None:
        """Prepare to ask the model *name*; nothing is sent yet.

        Without *base_url* it is OpenAI's own server. Raises EmbeddingError if there is neither a
        key nor an address.
        """
        if not api_key and not base_url:
            raise EmbeddingError(
                f"the embedding model {name} needs a server: set OPENAI_API_KEY for OpenAI's,"
                " OPENAI_BASE_URL for another, or unset PAPERCHAT_EMBEDDING_MODEL to use the"
                " embedded model"
            )
        self._name = name
        self._key = api_key
        self._url = base_url or OPENAI_URL
        self._patience = patience or Patience()
        self._client: openai.OpenAI | None = None
        self._dimension = 0  # 0 until the first answer
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """The model's name and its server, without key, password and path."""
        return f"{self._name}@{_host(self._url)}"

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed *texts*: float32 (n, dim), unit rows; texts past 8,000 bytes are cut there.

        Raises EmbeddingError if the server refuses, stays away, or answers with anything but one
        vector of the same dimension for each text.
        """
        parts: list[NDArray[np.float32]] = []
        for batch in batches([_cut(text) for text in texts]):
            parts.append(self._embed(batch))
            if progress:
                progress(len(batch))
        return np.concatenate(parts) if parts else np.zeros((0, self._dimension), np.float32)

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of *texts* are cut; a server may cut more, and does not say so."""
        return sum(len(text.encode("utf-8", "replace")) > MOST_BYTES for text in texts)

    def _embed(self, batch: list[str]) -> NDArray[np.float32]:
        vectors = _vectors(self._patiently(batch), len(batch), _host(self._url))
        with self._lock:
            if self._dimension not in {0, vectors.shape[1]}:
                raise EmbeddingError(
                    f"the vectors of {self._name} had {self._dimension:,} numbers and now have"
                    f" {vectors.shape[1]:,}; let PAPERCHAT_EMBEDDING_MODEL name one model"
                )
            self._dimension = vectors.shape[1]
        return vectors

    def _patiently(self, batch: list[str]) -> bytes:
        """The server's answer for *batch*, asked for again while that may help."""
        import openai  # late: half a second that the embedded model does not pay

        ends = time.monotonic() + self._patience.deadline
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._ask(batch, ends)
            except openai.OpenAIError as error:
                pause = self._pause(error, attempt)
                if pause is None or time.monotonic() + pause >= ends:
                    # A server may repeat the key in its answer, which a traceback would show.
                    cause = None if self._key and self._key in repr(vars(error)) else error
                    raise EmbeddingError(self._sentence(error)) from cause
            time.sleep(pause)

    def _ask(self, batch: list[str], ends: float) -> bytes:
        """One request. Raises OpenAIError, whatever goes wrong on the way."""
        import openai

        silence = max(0.001, min(self._patience.silence, ends - time.monotonic()))
        limits = openai.Timeout(silence, connect=min(silence, self._patience.connect))
        answer = bytearray()
        try:
            with self._open().embeddings.with_streaming_response.create(
                input=batch, model=self._name, encoding_format="float", timeout=limits
            ) as response:
                for piece in response.iter_bytes():
                    answer += piece
                    if time.monotonic() > ends:
                        raise openai.APITimeoutError(response.http_request)
                    if len(answer) > MOST_RESPONSE_BYTES:
                        raise _not_openai(_host(self._url))
        except (openai.OpenAIError, EmbeddingError):
            raise
        except Exception as error:  # a connection lost on the way is the HTTP library's own error
            raise openai.OpenAIError(str(error)) from error
        return bytes(answer)

    def _open(self) -> openai.OpenAI:
        import openai

        with self._lock:
            if self._client is None:
                # Both are always given, or the client would look for them in the environment.
                self._client = openai.OpenAI(
                    api_key=self._key or NO_KEY, base_url=self._url, max_retries=0
                )
            return self._client

    def _pause(self, error: openai.OpenAIError, attempt: int) -> float | None:
        """Seconds to wait before trying again; None if that would not help."""
        status = getattr(error, "status_code", None)
        most = self._patience.calls if status is None else self._patience.attempts
        if attempt >= most or _hopeless(error):
            return None
        if status is not None and status not in _PASSING and status < 500:
            return None
        asked = _retry_after(error)
        return self._patience.first_pause * 2 ** (attempt - 1) if asked is None else asked

    def _sentence(self, error: openai.OpenAIError) -> str:
        """What went wrong, and what to do about it."""
        import openai

        host = _host(self._url)
        if isinstance(error, openai.APIStatusError):
            return self._refusal(error, host)
        if isinstance(error, openai.APITimeoutError):
            return (
                f"the embedding server {host} did not answer in time; look whether it is"
                " overloaded, and try again"
            )
        return (
            f"the embedding server {host} cannot be reached or broke off; check that it runs, the"
            " network, and OPENAI_BASE_URL"
        )

    def _refusal(self, error: openai.APIStatusError, host: str) -> str:
        """The sentence for an answer that is an error status."""
        said = f"{error.status_code}{self._said(error)}"
        match error.status_code:
            case 401 | 403 if self._key:
                return (
                    f"the server {host} refuses the key ({error.status_code}); check OPENAI_API_KEY"
                )
            case 401 | 403:
                return f"the server {host} asks for a key ({error.status_code}); set OPENAI_API_KEY"
            case 404:
                return (
                    f"the server {host} has no embedding model {self._name} at this address (404);"
                    " check PAPERCHAT_EMBEDDING_MODEL and OPENAI_BASE_URL, which often ends in /v1"
                )
            case 429 if _hopeless(error):
                return f"the account at {host} has no credit left (429); check its plan and billing"
            case 429:
                return f"the server {host} limits how fast it may be asked (429); try again later"
            case status if status >= 500:
                return f"the embedding server {host} fails ({said}); try again later"
        return (
            f"the server {host} does not take the request ({said}); check that"
            f" {self._name} is an embedding model that reads at least 512 tokens"
        )

    def _said(self, error: openai.APIStatusError) -> str:
        """The server's own words, one line of them, without the key."""
        words = error.body.get("message") if isinstance(error.body, dict) else None
        if not isinstance(words, str) or not words.strip():
            return ""
        line = " ".join(words.split())
        return f": {line.replace(self._key, '***') if self._key else line}"[:200]


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """Cut *texts*, in order, into requests of at most 100 texts and 64,000 bytes."""
    batch: list[str] = []
    size = 0
    for text in texts:
        more = len(text.encode())
        if batch and (len(batch) == BATCH_TEXTS or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += more
    if batch:
        yield batch


def _cut(text: str) -> str:
    """What is sent for *text*: no more than MOST_BYTES, and never nothing, which OpenAI refuses."""
    return text.encode("utf-8", "replace")[:MOST_BYTES].decode("utf-8", "ignore") or " "


def _vectors(answer: bytes, wanted: int, host: str) -> NDArray[np.float32]:
    """Unit rows (wanted, dim) from the server's JSON, in the order of the texts."""
    try:
        rows = sorted(json.loads(answer)["data"], key=lambda row: int(row["index"]))
        places = [row["index"] for row in rows]
        vectors = np.array([row["embedding"] for row in rows], dtype=np.float64)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise _not_openai(host) from error
    if places != list(range(wanted)) or vectors.ndim != 2 or not vectors.size:
        raise EmbeddingError(
            f"the server {host} gave {len(places):,} vectors for {wanted:,} texts, or numbered them"
            " wrongly; use another server or embedding model"
        )
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EmbeddingError(
            f"the server {host} gave a vector of zeros or of what is no number; use another server"
            " or embedding model"
        )
    return np.asarray(vectors / lengths, dtype=np.float32)


def _not_openai(host: str) -> EmbeddingError:
    return EmbeddingError(
        f"the server {host} does not answer as OpenAI's embeddings do; check OPENAI_BASE_URL,"
        " which often ends in /v1"
    )


def _host(url: str) -> str:
    """The host of *url*, with its port if it gives one, and without user and password."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _hopeless(error: openai.OpenAIError) -> bool:
    return bool({getattr(error, "code", None), getattr(error, "type", None)} & _HOPELESS)


def _retry_after(error: openai.OpenAIError) -> float | None:
    """The seconds that the server asks to wait, if it says so."""
    response: Any = getattr(error, "response", None)
    try:
        seconds = float(response.headers["retry-after"])
    except (AttributeError, KeyError, ValueError):  # absent, or a date
        return None
    return seconds if seconds >= 0 else None
