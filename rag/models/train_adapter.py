"""Learn the question adapter: a matrix that turns a question's vector towards its abstract's.

All-MiniLM-L6-v2 places a question in everyday words far from the abstract that answers it. One
384 x 384 matrix on the question's side closes a good part of that gap and leaves the abstracts'
vectors, and so the index, as they are: question' = normalise(question @ adapter).

    python -m rag.models.train_adapter questions-and-claims.jsonl.xz    # needs torch, as export.py

The data (everyday and technical questions on 3,492 papers outside the seeds, CC BY 4.0 / CC0, by
`source`) is split by its own `split` field: rows marked "train" are learned, rows marked "dev"
are measured and printed. The loss is InfoNCE (van den Oord et al., 2018) over all training papers;
weight decay keeps the matrix near the identity.
"""

from __future__ import annotations

import json
import lzma
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rag.embed import load_embedded

HERE = Path(__file__).parent
EPOCHS, BATCH, RATE, DECAY, TEMPERATURE, SEED = 8, 256, 1e-3, 10.0, 20.0, 0
unit = torch.nn.functional.normalize


def main(data: Path) -> None:
    """Train, measure on the dev split, and write `question-adapter.npy` (float16, 384 x 384)."""
    with lzma.open(data, "rt", encoding="utf-8") as lines:
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    embed = load_embedded()
    papers = torch.tensor(embed([f"{row['title']}\n{row['abstract']}" for row in rows]))
    everyday = torch.tensor(embed([row["q_everyday"] for row in rows]))
    technical = torch.tensor(embed([row["q_technical"] for row in rows]))
    train = np.array([i for i, row in enumerate(rows) if row["split"] == "train"])
    held = np.array([i for i, row in enumerate(rows) if row["split"] != "train"])
    adapter = fit(papers[train], [everyday[train], technical[train]])
    for name, questions in (("everyday", everyday), ("technical", technical)):
        for label, matrix in (("plain", torch.eye(len(adapter))), ("adapted", adapter)):
            print(name, label, recall(unit(questions[held] @ matrix), papers, held))
    np.save(HERE / "question-adapter.npy", adapter.numpy().astype(np.float16))


def fit(papers: torch.Tensor, questions: list[torch.Tensor]) -> torch.Tensor:
    """Learn the adapter, float32 (dim, dim), from question i of each kind meant for paper i."""
    torch.manual_seed(SEED)
    order = np.random.default_rng(SEED)
    asked = torch.cat(questions)
    target = torch.arange(len(papers)).repeat(len(questions))
    change = torch.zeros(papers.shape[1], papers.shape[1], requires_grad=True)
    optimizer = torch.optim.AdamW([change], lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, EPOCHS)
    for _ in range(EPOCHS):
        for batch in np.array_split(order.permutation(len(asked)), len(asked) // BATCH):
            turned = unit(asked[batch] + asked[batch] @ change)
            loss = torch.nn.functional.cross_entropy(turned @ papers.T * TEMPERATURE, target[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
        schedule.step()
    return torch.eye(len(change)) + change.detach()


def recall(questions: torch.Tensor, papers: torch.Tensor, gold: np.ndarray) -> str:
    """Recall@1, @5 and @20 of paper gold[i] for question i, as text."""
    scores = questions @ papers.T
    own = scores[torch.arange(len(gold)), torch.tensor(gold)]
    ranks = (scores > own[:, None]).sum(1) + 1
    return " ".join(f"@{k} {(ranks <= k).float().mean():.3f}" for k in (1, 5, 20))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
