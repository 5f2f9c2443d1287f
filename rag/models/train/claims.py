"""Train the claim checker: a cross-encoder that reads a claim and an abstract together.

    python -m rag.models.train.claims DATA_FOLDER OUT_FOLDER MINUTES [STARTED.onnx]

It starts from the shipped reader, or from the checker of STARTED.onnx. The verdict (supported,
contradicted, not supported) is read from the first token, the mean and the maximum over the claim's
tokens, and from the most suspicious of them: a head that says of each token of the claim whether it
is wrong, which is known wherever a false claim was made from a true one, is what lets one word
count among thirty.

The unit of a step is a group of readings about one paper. Each has the cross-entropy of its label;
a claim that is supported is to score above its false twin, and less so above the group's others
(RankNet; Burges et al., 2005). Where the groups come from: `claim_groups`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from rag.claims import likeness
from rag.embed import load_tokenizer, readable
from rag.models.train.claim_groups import (
    CONTRADICTED,
    SEED,
    SUPPORTED,
    Group,
    Mixture,
    Reading,
    more_claims,
    pairs_of,
    window,
)
from rag.models.train.data import Row, papers
from rag.models.train.embedder import half, stock_encoder
from rag.models.train.reader import SHIPPED, auroc, shipped
from rag.reader import HEAD_TOKENS, encode
from rag.sentences import split

GROUPS, PIECE, RATE, WARM, FROZEN = 16, 3600, 1.2e-4, 15, 2  # groups a step, tokens at once, …
THREADS = 1  # so that another training can have the other core
HEAVY = (1.6, 1.0, 1.0)  # supported claims are about a third of the readings


class Checker(torch.nn.Module):
    """The encoder and its heads."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = stock_encoder()
        for layer in self.encoder.encoder.layer[:FROZEN]:
            layer.requires_grad_(False)
        width = self.encoder.config.hidden_size
        self.wrong = torch.nn.Linear(width, 1)
        self.verdict = torch.nn.Linear(3 * width + 1, 3)
        self.evidence = torch.nn.Linear(width, 1)

    def forward(
        self,
        input_ids: torch.Tensor,
        token_type_ids: torch.Tensor,
        pool: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits (batch, 3) of the verdict, and (batch, sentences) of evidence."""
        return self.all_heads(input_ids, token_type_ids, pool, attention_mask)[:2]

    def all_heads(
        self,
        input_ids: torch.Tensor,
        token_type_ids: torch.Tensor,
        pool: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """As `forward`, and logits (batch, tokens) that a token of the claim is wrong."""
        mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        hidden = self.encoder(
            input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=mask
        )[0].float()
        claim = ((1 - token_type_ids) * mask).unsqueeze(-1).float()
        wrong = self.wrong(hidden)
        mean = (hidden * claim).sum(1) / claim.sum(1)
        most = (hidden - 1e4 * (1 - claim)).max(1).values
        worst = (wrong - 1e4 * (1 - claim)).max(1).values
        verdict = self.verdict(torch.cat([hidden[:, 0], mean, most, worst], dim=1))
        evidence = self.evidence(torch.matmul(pool[:, 1:], hidden)).squeeze(-1)
        return verdict, evidence, wrong.squeeze(-1)


def main(data: Path, out: Path, minutes: float, started: Path) -> None:
    """Train for *minutes*, saving `claims.pt` in *out*, and print what the dev rows show."""
    torch.manual_seed(SEED)
    torch.set_num_threads(THREADS)
    chance = np.random.default_rng(SEED)
    rows, dev = papers()
    hard, hard_dev = more_claims()
    rows = [*rows, *hard]
    model = Checker()
    model.load_state_dict(shipped(model, started))
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=RATE, weight_decay=0.01)
    mixture, measured = Mixture(rows, data), dev_readings(dev)
    harder = dev_readings([_plain(row) for row in hard_dev])
    print(f"before: {report(model, harder)}", flush=True)
    print(f"{len(rows)} papers to learn from, {len(dev)} to measure", flush=True)
    began, count, losses, told = time.time(), 0, [], 0.0
    while (done := (time.time() - began) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = RATE * max(0.02, min((count + 1) / WARM, (1 - done) / 0.85))
        groups = [mixture.group(done, chance) for _ in range(GROUPS)]
        loss = loss_of(model, groups) / len(groups)
        loss.backward()
        losses.append(float(loss.detach()))
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        count += 1
        if count % 25 == 0:
            print(f"{count} {np.mean(losses[-25:]):.3f} {time.time() - began:.0f} s", flush=True)
        if count % 50 == 0:
            torch.save(model.state_dict(), out / "claims.pt")
        if time.time() - began - told > 420:
            told = time.time() - began
            print(f"{report(model, measured[:450])}\nharder: {report(model, harder)}", flush=True)
    torch.save(model.state_dict(), out / "claims.pt")
    print(f"{count} steps; {report(model, measured)}\nharder: {report(model, harder)}", flush=True)


def batch_of(readings: Sequence[Reading]) -> dict[str, torch.Tensor]:
    """The model's inputs for *readings*, padded."""
    pairs = [encode(r.claim, r.title, r.sentences) for r in readings]
    longest = max(p.input_ids.shape[1] for p in pairs)
    most = max(p.pool.shape[1] for p in pairs)
    ids, types, mask = (np.zeros((len(pairs), longest), dtype=np.int64) for _ in range(3))
    pool = np.zeros((len(pairs), most, longest), dtype=np.float32)
    for i, p in enumerate(pairs):
        length = p.input_ids.shape[1]
        ids[i, :length], types[i, :length], mask[i, :length] = p.input_ids, p.token_type_ids, 1
        pool[i, : p.pool.shape[1], :length] = p.pool[0]
    names = ("input_ids", "token_type_ids", "attention_mask", "pool")
    arrays = (ids, types, mask, pool)
    return {n: torch.tensor(a) for n, a in zip(names, arrays, strict=True)}


def marks_of(reading: Reading) -> NDArray[np.float32]:
    """Of each token of the claim, whether it is wrong."""
    encoded = load_tokenizer().encode(readable(reading.claim), add_special_tokens=False)
    return np.array(
        [
            any(start < last and first < end for first, last in reading.wrong or ())
            for start, end in encoded.offsets[:HEAD_TOKENS]
        ],
        dtype=np.float32,
    )


def loss_of(model: Checker, groups: Sequence[Group]) -> torch.Tensor:
    """The sum over *groups* of what the module's docstring says."""
    readings = [one for group in groups for one in group]
    verdict, evidence, wrong = logits(model, readings)
    labels = torch.tensor([one.label for one in readings])
    loss = 0.5 * torch.nn.functional.cross_entropy(
        verdict, labels, torch.tensor(HEAVY), reduction="sum"
    )
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    for i, one in enumerate(readings):
        if one.wrong is not None:
            marks = torch.tensor(marks_of(one))
            heavy = 1 + 4 * marks
            own = wrong[i][1 : 1 + len(marks)]
            loss = loss + 0.5 * (entropy(own, marks, reduction="none") * heavy).mean()
        if one.evidence is not None:
            told = torch.tensor(one.evidence).float()
            loss = loss + 0.2 * entropy(evidence[i][: len(told)], told)
    score = margin(verdict)
    start = 0
    for group in groups:
        for i, one in enumerate(group):
            for j, other in enumerate(group):
                if one.label == SUPPORTED and other.label != SUPPORTED:
                    weight = 0.7 if one.twin == other.twin else 0.15
                    rank = torch.nn.functional.softplus(score[start + j] - score[start + i])
                    loss = loss + weight * rank
        start += len(group)
    return loss


def logits(
    model: Checker, readings: Sequence[Reading]
) -> tuple[torch.Tensor, list[torch.Tensor], list[torch.Tensor]]:
    """Verdicts (readings, 3), and each reading's evidence and wrong tokens."""
    found: dict[int, tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = {}
    for piece in pieces_of(readings):
        with half():
            heads = model.all_heads(**batch_of([readings[i] for i in piece]))
        found.update(zip(piece, zip(*(head.float() for head in heads), strict=True), strict=True))
    ordered = [found[i] for i in range(len(readings))]
    return (
        torch.stack([v for v, _, _ in ordered]),
        [e for _, e, _ in ordered],
        [w for *_, w in ordered],
    )


def pieces_of(readings: Sequence[Reading]) -> Iterator[list[int]]:
    """Places of *readings*, those of like length together, at most PIECE tokens in a piece."""
    piece: list[int] = []
    for place in sorted(range(len(readings)), key=lambda place: readings[place].size):
        if piece and readings[place].size * (len(piece) + 1) > PIECE:
            yield piece
            piece = []
        piece.append(place)
    yield piece


def margin(verdict: torch.Tensor) -> torch.Tensor:
    """Log-odds of supported, (batch,)."""
    return verdict[:, SUPPORTED] - torch.logsumexp(verdict[:, CONTRADICTED:], dim=1)


def dev_readings(rows: Sequence[Row]) -> list[Reading]:
    """Supported, contradicted, not supported of each row, beside the sentences most like each."""
    readings = []
    for row in rows:
        texts = [s.text for s in split(row["id"], row["abstract"])]
        for label, name in enumerate(("supported", "contradicted", "not_supported")):
            kept = window(likeness(row[name], texts), 3, texts)
            shown = tuple(texts[i] for i in kept)
            readings.append(Reading(row[name], row["title"], shown, label))
    return readings


def _plain(row: Row) -> Row:
    """A row of several claims as one of three: its first pair, and what is not supported."""
    true, false = pairs_of(row)[0]
    beyond = row["not_supported"][0]
    return {**row, "supported": true, "contradicted": false, "not_supported": beyond}


def report(model: Checker, readings: Sequence[Reading]) -> str:
    """How the model tells dev claims apart, as text."""
    with torch.no_grad():
        verdict, _, _ = logits(model, readings)
    score = margin(verdict).double().numpy().reshape(-1, 3)
    best = verdict.argmax(1).numpy().reshape(-1, 3)
    true, false, beyond = score.T
    both = [
        auroc(np.r_[true, other], np.arange(2 * len(true)) < len(true)) for other in (false, beyond)
    ]
    accepted = best[:, 0] == SUPPORTED
    refused = (best[:, 1:] != SUPPORTED).mean()
    return (
        f"dev: AUROC against contradicted {both[0]:.3f}, against not supported {both[1]:.3f}, "
        f"pairs {(true > false).mean():.3f}, accepted {accepted.mean():.3f}, "
        f"refused {refused:.3f}, contradicted caught {(best[:, 1] != SUPPORTED).mean():.3f}, "
        f"balanced of two {(accepted.mean() + refused) / 2:.3f}, "
        f"of three {(best == np.arange(3)).mean():.3f}"
    )


if __name__ == "__main__":
    started = Path(sys.argv[4]) if len(sys.argv) > 4 else SHIPPED
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), started)
