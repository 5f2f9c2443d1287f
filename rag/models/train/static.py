"""Make `static.npz`: a vector for each token, such that their mean is near the embedder's vector.

    python -m rag.models.train.static ABSTRACTS [ABSTRACTS …]

Needs scipy (`pip install -e '.[calibrate]'`) and no torch. The files hold lines of JSON with title
and abstract, plain or .xz: those of the ACL Anthology (CC BY 4.0) and of arXiv (CC0) were taken.

1. Each token alone is put through the embedder.
2. A text's first guess is the mean of its tokens' vectors, weighted by rarity, a / (a + p).
3. A linear map, and then a correction for each token, bring the guess near to the embedder's vector
   of windows and sentences: ridge regression, its strength chosen on texts held back.
4. The table is cut to its first RANK principal directions and kept as int8.

Prints, for texts held back, the cosine to the embedder's vector after each step.
"""

from __future__ import annotations

import json
import lzma
import random
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import cho_factor, cho_solve

from rag.embed import load_embedded, load_tokenizer, open_graph, pieces_of
from rag.sentences import split
from rag.static import FILE

PAPERS = 6_000  # whose window and three sentences are embedded
RARE = 1e-3  # the a of a / (a + p): tokens rarer than one in a thousand count fully
RANK = 256
HELD_BACK = 10  # every tenth text
AT_ONCE = 32  # tokens in a run

Matrix = NDArray[np.float32]


def main(paths: Sequence[str]) -> int:
    """Write the table beside the models."""
    dice = random.Random(3)
    files = [_papers(Path(path)) for path in paths]
    papers = [paper for file in files for paper in file]
    chosen = [paper for file in files for paper in dice.sample(file, PAPERS // len(files))]
    texts = [text for paper in chosen for text in _texts(paper, dice)]
    dice.shuffle(texts)
    weights = _rarity([f"{paper['title']} {paper['abstract']}" for paper in papers[::10]])
    make(token_vectors(), texts, load_embedded()(texts), weights)
    return 0


def make(tokens: Matrix, texts: Sequence[str], taught: Matrix, weights: Matrix) -> None:
    """Fit the table to the vectors *taught* of *texts*, and write it."""
    shares = _shares(texts, weights)
    back = np.arange(len(texts)) % HELD_BACK == 0
    given, wanted = shares[~back], taught[~back]
    _say("mean of tokens", shares[back] @ tokens, taught[back])
    middle = wanted.mean(axis=0)
    guess = given @ tokens
    linear = np.linalg.solve(guess.T @ guess + np.eye(guess.shape[1]), guess.T @ (wanted - middle))
    table = (tokens @ linear).astype(np.float32)
    _say("a linear map", shares[back] @ table + middle, taught[back])
    table = _corrected(given, wanted - middle, table, shares[back], taught[back] - middle)
    _say("a correction for each token", shares[back] @ table + middle, taught[back])
    centre = np.asarray(given.mean(axis=0)).ravel() @ table
    _, _, directions = np.linalg.svd((given @ table - centre), full_matrices=False)
    directions = directions[:RANK].astype(np.float32)
    low = table @ directions.T
    scales = np.maximum(np.abs(low).max(axis=1), 1e-9) / 127
    codes = np.round(low / scales[:, None]).astype(np.int8)
    rebuilt = (codes * scales[:, None]) @ directions
    _say(f"rank {RANK}, int8", shares[back] @ rebuilt + middle, taught[back])
    np.savez_compressed(
        FILE,
        model=np.array(load_embedded().fingerprint),
        codes=codes,
        scales=(scales * weights).astype(np.float32),
        weights=weights,
        directions=directions,
        middle=middle.astype(np.float32),
    )
    print(f"{FILE}: {FILE.stat().st_size:,} bytes")


def token_vectors() -> Matrix:
    """The embedder's vector of each token alone, (tokens, dim); zeros for marks."""
    graph, tokenizer = open_graph("minilm.onnx"), load_tokenizer()
    names = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    plain = [n for n, name in enumerate(names) if not (name[0] == "[" and name[-1] == "]")]
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    out = np.zeros((len(names), 384), dtype=np.float32)
    for start in range(0, len(plain), AT_ONCE):
        some = plain[start : start + AT_ONCE]
        ids = np.array([[first, number, last] for number in some], dtype=np.int64)
        out[some] = graph({"input_ids": ids, "attention_mask": np.ones_like(ids)})[0]
    return out


def _corrected(given: sparse.csr_matrix, wanted: Matrix, table: Matrix, back: sparse.csr_matrix,
               missing: Matrix) -> Matrix:  # fmt: skip
    """*table* with what ridge regression adds to it, as strongly as suits the texts held *back*."""
    rest = wanted - given @ table
    kernel = (given @ given.T).toarray().astype(np.float32)
    best, chosen = -1.0, table
    for strength in (0.01, 0.03, 0.1):
        factor = cho_factor(kernel + strength * np.eye(len(kernel), dtype=np.float32))
        tried = table + given.T @ cho_solve(factor, rest)
        reached = _cosine(back @ tried, missing)
        print(f"  ridge {strength}: {reached:.4f} around the middle")
        if reached > best:
            best, chosen = reached, tried.astype(np.float32)
    return chosen


def _shares(texts: Sequence[str], weights: Matrix) -> sparse.csr_matrix:
    """By which share each token counts in each text, (texts, tokens), rows of sum 1."""
    rows, columns, values = [], [], []
    for row, ids in enumerate(pieces_of(texts)):
        total = weights[ids].sum()
        rows += [row] * len(ids)
        columns += ids
        values += (weights[ids] / total).tolist()
    shape = (len(texts), len(weights))
    return sparse.csr_matrix((np.array(values, dtype=np.float32), (rows, columns)), shape=shape)


def _rarity(texts: Sequence[str]) -> Matrix:
    counts = np.zeros(load_tokenizer().get_vocab_size())
    for start in range(0, len(texts), 1000):
        for ids in pieces_of(texts[start : start + 1000]):
            np.add.at(counts, ids, 1)
    return (RARE / (RARE + counts / counts.sum())).astype(np.float32)


def _say(step: str, made: Matrix, taught: Matrix) -> None:
    print(f"{step}: cosine {_cosine(made, taught):.4f}", flush=True)


def _cosine(one: Matrix, other: Matrix) -> float:
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float(((one * other).sum(axis=1) / np.maximum(lengths, 1e-9)).mean())


def _papers(path: Path) -> list[dict[str, str]]:
    with lzma.open(path, "rt") if path.suffix == ".xz" else path.open() as lines:
        return [json.loads(line) for line in lines]


def _texts(paper: dict[str, str], dice: random.Random) -> list[str]:
    """The window of a paper, as it is embedded, and some of its sentences."""
    sentences = [one.text for one in split("", paper["abstract"])]
    window = f"{paper['title']}\n{paper['abstract']}"
    return [window, *dice.sample(sentences, min(3, len(sentences)))]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
