"""Learn the reader: small matrices that say which sentence of an abstract answers a question.

Likeness is not an answer: of two sentences on the same subject, the one that answers is often the
one that repeats fewer of the question's words. The reader turns the question's vector (minus a part
of the paper's own, which all its sentences share) and each sentence's vector into a space in which
the answer is the closest:

    score(q, p, s) = scale * cos(q Q - p P, s S) + s . v

    python -m rag.models.train_reader questions-and-claims.jsonl.xz    # needs torch, as export.py

It learns from the technical questions of the rows for which `has_learned` holds, three quarters of
the "train" split; `eval.calibrate` fits its weight on the rest, so that the weight is honest. The
rows marked "dev" are measured and printed.
"""

from __future__ import annotations

import json
import lzma
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rag.embed import has_learned, load_embedded
from rag.sentences import spans

HERE = Path(__file__).parent
EPOCHS, BATCH, RATE, DECAY, DROP, SCALE, SEED = 5, 64, 5e-4, 2.0, 0.1, 12.0, 0
unit = torch.nn.functional.normalize


@dataclass(frozen=True, slots=True)
class Item:
    """A question, its paper and the paper's sentences as vectors, and the right one's place."""

    question: torch.Tensor  # (dim,)
    paper: torch.Tensor  # (dim,)
    sentences: torch.Tensor  # (sentences, dim)
    right: int


class Reader(torch.nn.Module):
    """The scores of `rag.embed.Reader`, for training."""

    def __init__(self, dimension: int) -> None:
        super().__init__()
        square = (dimension, dimension)
        self.question = torch.nn.Parameter(torch.zeros(square))
        self.paper = torch.nn.Parameter(torch.zeros(square))
        self.sentence = torch.nn.Parameter(torch.zeros(square))
        self.prior = torch.nn.Parameter(torch.zeros(dimension))
        self.scale = torch.nn.Parameter(torch.tensor(SCALE))

    def forward(
        self, question: torch.Tensor, paper: torch.Tensor, sentences: torch.Tensor
    ) -> torch.Tensor:
        """Scores (batch, sentences) for (batch, dim), (batch, dim), (batch, sentences, dim)."""
        asked = unit(question + question @ self.question - paper @ self.paper, dim=1)
        told = unit(sentences + sentences @ self.sentence, dim=2)
        scores: torch.Tensor = self.scale * (asked[:, None] * told).sum(2) + sentences @ self.prior
        return scores


def main(data: Path) -> None:
    """Train, measure on the dev split, and write `reader.npz` (float16)."""
    with lzma.open(data, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    train = items([r for r in rows if r["split"] == "train" and has_learned(r["id"])])
    held = items([r for r in rows if r["split"] != "train"])
    model = Reader(train[0].question.shape[0])
    print(f"{len(train)} learned, {len(held)} held back")
    print("before", accuracy(model, held))
    fit(model, train)
    print("after ", accuracy(model, held))
    eye = np.eye(len(model.prior))
    arrays = {
        "question": eye + model.question.detach().numpy(),
        "paper": model.paper.detach().numpy(),
        "sentence": eye + model.sentence.detach().numpy(),
        "prior": model.prior.detach().numpy(),
        "scale": model.scale.detach().numpy(),
    }
    halved = {name: array.astype(np.float16) for name, array in arrays.items()}
    np.savez_compressed(HERE / "reader.npz", **halved)


def items(rows: list[dict[str, Any]]) -> list[Item]:
    """Embed the rows whose answer sentence is one of the abstract's sentences."""
    embed = load_embedded()
    made: list[Item] = []
    for row in rows:
        texts = [row["abstract"][start:end] for start, end in spans(row["abstract"])]
        right = [
            i
            for i, text in enumerate(texts)
            if text in row["a_sentence"] or row["a_sentence"] in text
        ]
        if len(right) == 1 and len(texts) > 2:
            whole = f"{row['title']}\n{row['abstract']}"
            vectors = torch.tensor(embed([row["q_technical"], whole, *texts]))
            made.append(Item(vectors[0], vectors[1], vectors[2:], right[0]))
    return made


def fit(model: Reader, data: list[Item]) -> None:
    """Minimise the cross-entropy of the right sentence among its abstract's."""
    torch.manual_seed(SEED)
    order = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=DECAY)
    for _ in range(EPOCHS):
        shuffled = order.permutation(len(data))
        for start in range(0, len(data), BATCH):
            batch = [data[i] for i in shuffled[start : start + BATCH]]
            scores, right = scored(model, batch, drop=True)
            loss = torch.nn.functional.cross_entropy(scores, right)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()


def scored(model: Reader, batch: list[Item], *, drop: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores (batch, longest), padding at minus infinity's stead, and the right places."""
    longest = max(len(item.sentences) for item in batch)
    sentences = torch.zeros(len(batch), longest, len(batch[0].question))
    real = torch.zeros(len(batch), longest, dtype=torch.bool)
    for place, item in enumerate(batch):
        sentences[place, : len(item.sentences)] = item.sentences
        real[place, : len(item.sentences)] = True
    if drop:
        sentences = torch.nn.functional.dropout(sentences, DROP)
    questions = torch.stack([item.question for item in batch])
    papers = torch.stack([item.paper for item in batch])
    scores = model(questions, papers, sentences).masked_fill(~real, -1e9)
    return scores, torch.tensor([item.right for item in batch])


def accuracy(model: Reader, data: list[Item]) -> str:
    """How often the right sentence is first, and in the first two, as text."""
    with torch.no_grad():
        scores, right = scored(model, data, drop=False)
    own = scores[torch.arange(len(right)), right]
    ranks = (scores > own[:, None]).sum(1)
    return (
        f"first {(ranks < 1).float().mean():.3f}, in the first two {(ranks < 2).float().mean():.3f}"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
