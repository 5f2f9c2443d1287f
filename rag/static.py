"""Vectors of texts without the transformer: each token has one, and a text has their mean.

Distilled from the embedded model by `rag/models/train/static.py`, into the same space, so that a
question that the transformer read can be compared with a text that was only looked up. A thousand
abstracts a second instead of thirty, and rougher: they say which papers to read properly. Source:
Arora, Liang and Ma, ICLR 2017 (means weighted by rarity); Tulkens and van Dongen, Model2Vec, 2024
(token vectors from a sentence encoder).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import MODELS, load_embedded, pieces_of
from rag.errors import EmbeddingError
from rag.text import digest

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FILE = MODELS / "static.npz"
AT_ONCE = 1_000  # texts that are cut into tokens at a time


@dataclass(frozen=True, slots=True)
class StaticModel:
    """An `Embedder` of papers' texts, in the space of the embedded model."""

    codes: NDArray[np.int8]  # (tokens, rank)
    scales: NDArray[np.float32]  # (tokens,): what a code of 1 means, the token's rarity in it
    weights: NDArray[np.float32]  # (tokens,): rarity, 0 to 1
    directions: NDArray[np.float32]  # (rank, dim)
    middle: NDArray[np.float32]  # (dim,): added to every text
    fingerprint: str

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Embed *texts*: float32 (n, dim), unit rows, whatever their length."""
        out = np.zeros((len(texts), self.directions.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), AT_ONCE):
            some = texts[start : start + AT_ONCE]
            means = np.stack([self._mean(ids) for ids in pieces_of(some)])
            made = means @ self.directions + self.middle
            out[start : start + len(some)] = made / np.linalg.norm(made, axis=1, keepdims=True)
            if progress:
                progress(len(some))
        return out

    def truncated(self, texts: Sequence[str]) -> int:
        """None: the whole of a text counts."""
        return 0 * len(texts)

    def _mean(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """The weighted mean of the tokens' vectors, (rank,)."""
        total = float(self.weights[ids].sum()) if ids else 0.0
        if total <= 0.0:
            return np.zeros(self.codes.shape[1], dtype=np.float32)
        summed = self.scales[ids] @ self.codes[ids].astype(np.float32)
        return np.asarray(summed / total, dtype=np.float32)


@cache
def load_static(file: Path = FILE) -> StaticModel:
    """The shipped table. Raises EmbeddingError if it is damaged or of another embedded model."""
    try:
        with np.load(file, allow_pickle=False) as held:
            made_for = str(held["model"])
            parts = [held[name] for name in ("codes", "scales", "weights", "directions", "middle")]
    except (OSError, ValueError, KeyError) as error:
        raise EmbeddingError(
            f"the table of token vectors {file} cannot be read ({error}); install PaperChat again"
        ) from error
    if made_for != load_embedded().fingerprint:
        raise EmbeddingError(
            f"{file.name} was distilled from another embedded model; unset PAPERCHAT_INDEX, or make"
            " it anew with `python -m rag.models.train.static`"
        )
    codes, *rest = parts
    name = digest(made_for, codes.tobytes().hex()[:4096], *(str(part.sum()) for part in parts))
    scales, weights, directions, middle = (part.astype(np.float32) for part in rest)
    return StaticModel(codes, scales, weights, directions, middle, f"static-{name}")
