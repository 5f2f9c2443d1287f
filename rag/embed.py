"""Texts to vectors with the model shipped inside the package: the door to onnxruntime.

The graph pools and normalises, so a row that comes out is a unit vector. Texts are batched by
length under a token budget: short sentences travel together and nobody pays for padding.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.errors import EmbeddingError
from rag.text import digest

if TYPE_CHECKING:
    import onnxruntime
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

MODELS = Path(__file__).parent / "models"
DIMENSION = 384
MOST_TOKENS = 512  # positions the encoder has
BATCH_TOKENS = 512  # measured: larger batches are slower on two cores (5.9 s against 5.1 s)


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """All-MiniLM-L6-v2, int8: an `Embedder` that needs no network and no key."""

    session: onnxruntime.InferenceSession
    tokenizer: Tokenizer
    fingerprint: str

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed *texts*: float32 (n, 384), unit rows; texts past 512 tokens are cut there."""
        out = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        encoded = self.tokenizer.encode_batch([text or " " for text in texts])
        for batch in batches([len(one.ids) for one in encoded]):
            out[batch] = self._run([encoded[place] for place in batch])
            if progress:
                progress(len(batch))
        return out

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of *texts* have more tokens than the model reads."""
        return sum(len(one.ids) > MOST_TOKENS for one in self.tokenizer.encode_batch(list(texts)))

    def _run(self, encoded: Sequence[Encoding]) -> NDArray[np.float32]:
        width = min(MOST_TOKENS, max(len(one.ids) for one in encoded))
        ids = np.zeros((len(encoded), width), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, one in enumerate(encoded):
            kept = _fit(one.ids, width)
            ids[row, : len(kept)] = kept
            mask[row, : len(kept)] = 1
        try:
            vectors = self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        except Exception as error:  # onnxruntime raises classes of its own making
            raise EmbeddingError(f"the embedding model failed: {error}") from error
        return np.asarray(vectors, dtype=np.float32)


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Group indices of texts by length, so that width x rows stays within BATCH_TOKENS."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if batch and min(lengths[place], MOST_TOKENS) * (len(batch) + 1) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


@cache
def load_embedded() -> EmbeddedModel:
    """Load the shipped model once a process. Raises EmbeddingError if its files are damaged."""
    import onnxruntime  # late: only commands that embed pay for it
    from tokenizers import Tokenizer

    path = MODELS / "minilm.onnx"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0)) if _LINUX else os.cpu_count() or 1
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
        tokenizer = Tokenizer.from_file(str(MODELS / "minilm-tokenizer.json"))
    except Exception as error:  # both libraries raise bare Exception for a damaged file
        raise EmbeddingError(
            f"the embedded model in {MODELS} cannot be loaded ({error}); install PaperChat again"
        ) from error
    return EmbeddedModel(session, tokenizer, f"minilm-int8-{_file_hash(path)}")


@cache
def question_adapter() -> NDArray[np.float32]:
    """The matrix, float32 (384, 384), that turns a question's vector towards its abstract's.

    How it was learned: `rag/models/train_adapter.py`.
    """
    return np.load(MODELS / "question-adapter.npy").astype(np.float32)


def _fit(ids: list[int], width: int) -> list[int]:
    """Cut *ids* to *width* tokens, keeping the closing separator."""
    return ids if len(ids) <= width else [*ids[: width - 1], ids[-1]]


def _file_hash(path: Path) -> str:
    """A cheap fingerprint of a shipped file: its size and its last bytes."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 65536), os.SEEK_END)
        return digest(str(path.stat().st_size), file.read().hex())


_LINUX = hasattr(os, "sched_getaffinity")
