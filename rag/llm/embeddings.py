"""Vectors from an OpenAI-compatible server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from rag.errors import EmbeddingError
from rag.llm.server import Patience, Server, Wording

# A token has at least one byte, so that limits in bytes hold for every tokenizer. OpenAI reads
# 8,192 tokens of a text and takes 300,000 a request; a model on one processor wants fewer.
MOST_BYTES = 8_000
BATCH_TEXTS = 100
BATCH_BYTES = 64_000
MOST_RESPONSE_BYTES = 64_000_000  # 100 vectors of 4,096 numbers take 9 million

_WORDING = Wording(
    EmbeddingError,
    "embedding",
    "PAPERCHAT_EMBEDDING_MODEL",
    "an embedding model that reads at least 512 tokens",
)


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
        self._server = Server(name, api_key, base_url, patience, _WORDING)
        self._dimension = 0  # 0 until the first answer
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"OpenAIEmbedder({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """The model's name and its server, without key, password and path."""
        return f"{self._server.name}@{self._server.host}"

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
        answer = self._server.patiently(lambda ends: self._ask(batch, ends))
        vectors = _vectors(answer, len(batch), self._server.host)
        with self._lock:
            if self._dimension not in {0, vectors.shape[1]}:
                raise EmbeddingError(
                    f"the vectors of {self._server.name} had {self._dimension:,} numbers and now"
                    f" have {vectors.shape[1]:,}; let PAPERCHAT_EMBEDDING_MODEL name one model"
                )
            self._dimension = vectors.shape[1]
        return vectors

    def _ask(self, batch: list[str], ends: float) -> bytes:
        """One request. Raises OpenAIError, whatever goes wrong on the way."""
        import openai

        create = self._server.client().embeddings.with_streaming_response.create
        answer = bytearray()
        try:
            with create(
                input=batch,
                model=self._server.name,
                encoding_format="float",
                timeout=self._server.limits(ends),
            ) as response:
                for piece in response.iter_bytes():
                    answer += piece
                    if time.monotonic() > ends:
                        raise openai.APITimeoutError(response.http_request)
                    if len(answer) > MOST_RESPONSE_BYTES:
                        raise _not_openai(self._server.host)
        except (openai.OpenAIError, EmbeddingError):
            raise
        except Exception as error:  # a connection lost on the way is the HTTP library's own error
            raise openai.OpenAIError(str(error)) from error
        return bytes(answer)


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
