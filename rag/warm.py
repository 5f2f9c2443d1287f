"""The vectors of the papers that come with PaperChat, so that a first start embeds nothing.

Made by `python -m rag.warm` with the shipped model and kept as half floats (cosine to what the
model gives at least 0.999999, measured). They are used only under the fingerprint they were made
with: after another model has been shipped they are to be made anew, and until then go unused.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.types import Embedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = Path(__file__).parent / "models" / "seeds.npz"


@dataclass(frozen=True, slots=True)
class Warmed:
    """An `Embedder` that knows the vectors of some texts, and asks another one for the rest."""

    embedder: Embedder
    rows: Mapping[bytes, int]
    matrix: NDArray[np.float16]  # (texts, dim)

    @property
    def fingerprint(self) -> str:
        """Its embedder's: the vectors are the same."""
        return self.embedder.fingerprint

    def __call__(
        self, texts: Sequence[str], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Float32 (n, dim), unit rows."""
        places = [self.rows.get(_hash(text), -1) for text in texts]
        out = np.zeros((len(texts), self.matrix.shape[1]), dtype=np.float32)
        missing = [n for n, place in enumerate(places) if place < 0]
        known = [n for n, place in enumerate(places) if place >= 0]
        if known:
            found = self.matrix[[places[n] for n in known]].astype(np.float32)
            out[known] = found / np.linalg.norm(found, axis=1, keepdims=True)
            if progress:
                progress(len(known))
        if missing:
            out[missing] = self.embedder([texts[n] for n in missing], progress)
        return out

    def truncated(self, texts: Sequence[str]) -> int:
        """As its embedder says."""
        return self.embedder.truncated(texts)


def warmed(embedder: Embedder, file: Path = FILE) -> Embedder:
    """*embedder* with the vectors in *file*, if they are of its model; else itself."""
    try:
        with np.load(file, allow_pickle=False) as held:
            if str(held["fingerprint"]) != embedder.fingerprint:
                return embedder
            hashes, matrix = held["hashes"], held["matrix"]
    except (OSError, ValueError, KeyError):  # a start without them only takes longer
        return embedder
    rows = {bytes(one): place for place, one in enumerate(hashes)}
    return Warmed(embedder, rows, matrix)


def make(embedder: Embedder, texts: Sequence[str], file: Path = FILE) -> float:
    """Write the vectors of *texts* to *file*; the least cosine of one kept to one made."""
    distinct = sorted(dict.fromkeys(texts))
    made = embedder(distinct)
    kept = made.astype(np.float16)
    hashes = np.frombuffer(b"".join(map(_hash, distinct)), dtype=np.uint8).reshape(-1, 16)
    with file.open("wb") as out:
        np.savez_compressed(
            out, fingerprint=np.array(embedder.fingerprint), hashes=hashes, matrix=kept
        )
    again = kept.astype(np.float32)
    again /= np.linalg.norm(again, axis=1, keepdims=True)
    return float((made * again).sum(axis=1).min())


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:16]


def main() -> int:
    """Make the shipped file from the bundled papers."""
    from rag import chunk, corpus  # late: only here
    from rag.embed import load_embedded
    from rag.sentences import split

    seeds = Path(__file__).parent.parent / "seeds"
    texts: list[str] = []
    for paper in corpus.read([seeds]).papers:
        sentences = split(paper.id, paper.abstract)
        texts += [one.embedded_text for one in chunk.chunks(paper, sentences)]
        texts += [one.text for one in sentences]
    least = make(load_embedded(), texts)
    print(f"{FILE}: {FILE.stat().st_size:,} bytes, least cosine {least:.9f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
