"""Texts to vectors with the model shipped inside the package: the door to onnxruntime.

The graph pools and normalises, so a row that comes out is a unit vector. Every text runs alone, one
core each: the int8 graph scales its activations by the largest in a batch, so that a text's vector
would depend on its neighbours (measured: cosine 0.993 on average to the same text alone).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from rag.errors import EmbeddingError
from rag.text import digest

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from tokenizers import Encoding, Tokenizer

MODELS = Path(__file__).parent / "models"
DIMENSION = 384
AT_ONCE = 1_000  # texts whose tokens are in memory at a time, where they are only counted
MOST_TOKENS = 512  # positions the encoder has
_LINUX = hasattr(os, "sched_getaffinity")
Graph = Callable[["Mapping[str, NDArray[Any]]"], "Sequence[NDArray[np.float32]]"]
"""Named arrays in, arrays out in the graph's order."""
CORES = len(os.sched_getaffinity(0)) if _LINUX else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class EmbeddedModel:
    """All-MiniLM-L6-v2, fine-tuned, int8: an `Embedder` that needs no network and no key."""

    graph: Graph
    tokenizer: Tokenizer
    fingerprint: str

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed *texts*: float32 (n, 384), unit rows; texts past 512 tokens are cut there."""
        out = np.zeros((len(texts), DIMENSION), dtype=np.float32)
        encoded = self._encode([text or " " for text in texts])
        if len(encoded) == 1:  # a question: no threads to start
            out[0] = self._run(encoded[0])
            return out
        with ThreadPoolExecutor(CORES) as pool:
            for place, vector in enumerate(pool.map(self._run, encoded)):
                out[place] = vector
                if progress:
                    progress(1)
        return out

    def truncated(self, texts: Sequence[str]) -> int:
        """How many of *texts* have more tokens than the model reads."""
        portions = (texts[start : start + AT_ONCE] for start in range(0, len(texts), AT_ONCE))
        return sum(len(one.ids) > MOST_TOKENS for some in portions for one in self._encode(some))

    def _encode(self, texts: Sequence[str]) -> list[Encoding]:
        if len(texts) == 1:  # a question: nothing to share out among threads
            return [self.tokenizer.encode(readable(texts[0]))]
        return self.tokenizer.encode_batch([readable(text) for text in texts])

    def _run(self, encoded: Encoding) -> NDArray[np.float32]:
        ids = np.array([_fit(encoded.ids)], dtype=np.int64)
        (vectors,) = self.graph({"input_ids": ids, "attention_mask": np.ones_like(ids)})
        return np.asarray(vectors[0], dtype=np.float32)


# Each call works in memory of its own, which is kept for the next one: more calls at once than
# cores are no faster, and eight of them held 120 MB more than two.
_TURNS = threading.BoundedSemaphore(CORES)


@cache
def load_embedded() -> EmbeddedModel:
    """Load the shipped model once a process. Raises EmbeddingError if its files are damaged."""
    name = "minilm.onnx"
    return EmbeddedModel(
        open_graph(name), load_tokenizer(), f"minilm-int8-{_file_hash(MODELS / name)}"
    )


def open_graph(name: str) -> Graph:
    """A shipped graph, one core a call. Raises EmbeddingError if its file is damaged."""
    import onnxruntime  # late: only commands that embed pay for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # measured: a core a text is twice as fast as two
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(MODELS / name), options, ["CPUExecutionProvider"]
        )
    except Exception as error:  # the library raises bare Exception for a damaged file
        raise EmbeddingError(
            f"the embedded model in {MODELS} cannot be loaded ({error}); install PaperChat again"
        ) from error

    def run(given: Mapping[str, NDArray[Any]]) -> Sequence[NDArray[np.float32]]:
        try:
            with _TURNS:
                return cast("Sequence[NDArray[np.float32]]", session.run(None, dict(given)))
        except Exception as error:  # onnxruntime raises classes of its own making
            raise EmbeddingError(
                f"the embedding model failed ({error}); install PaperChat again"
            ) from error

    return run


@cache
def load_tokenizer() -> Tokenizer:
    """The shipped tokenizer, which both models share. Raises EmbeddingError if it is damaged."""
    from tokenizers import Tokenizer  # late, as above

    try:
        return Tokenizer.from_file(str(MODELS / "minilm-tokenizer.json"))
    except Exception as error:  # the library raises bare Exception for a damaged file
        raise EmbeddingError(
            f"the tokenizer in {MODELS} cannot be loaded ({error}); install PaperChat again"
        ) from error


def pieces_of(texts: Sequence[str]) -> list[list[int]]:
    """The token ids of each text, without the marks that open and close an input."""
    encoded = load_tokenizer().encode_batch(
        [readable(text) for text in texts], add_special_tokens=False
    )
    return [one.ids for one in encoded]


def readable(text: str) -> str:
    """Half a surrogate pair, which JSON and arguments can carry, is no text to the tokenizer."""
    return text.encode("utf-8", "replace").decode("utf-8")


_ENDINGS = frozenset("##s ##es ##d ##ed ##ing ##r ##er ##ers ##ly".split())


def is_word(text: str) -> bool:
    """Whether the tokenizer has *text* whole, or all but its ending: an English word, no slip."""
    pieces = load_tokenizer().encode(text, add_special_tokens=False).tokens
    return len(pieces) == 1 or (len(pieces) == 2 and pieces[1] in _ENDINGS)


def has_learned(identifier: str) -> bool:
    """Whether the models learned from the training row of this id; calibration uses the others."""
    return int(digest(identifier), 16) % 8 != 0


def _fit(ids: list[int]) -> list[int]:
    """Cut *ids* to what the model reads, keeping the closing separator."""
    return ids if len(ids) <= MOST_TOKENS else [*ids[: MOST_TOKENS - 1], ids[-1]]


def _file_hash(path: Path) -> str:
    """A cheap fingerprint of a shipped file: its size and its last bytes."""
    with path.open("rb") as file:
        file.seek(-min(path.stat().st_size, 65536), os.SEEK_END)
        return digest(str(path.stat().st_size), file.read().hex())
