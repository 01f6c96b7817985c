"""The training loop: one seed, one order, one result; what was reached is kept and gone on from.

The rate of learning rises, stays, and falls to nothing over the last part (Hu et al. 2024, section
4: warm-up, stable, decay), so that a run may be prolonged from any checkpoint of its stable part.
"""

import json
import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from eval.reader.examples import Example, Examples
from eval.reader.network import Reader, collated
from eval.reader.order import Plan, epoch

CHECKPOINT = "checkpoint.safetensors"
STABLE = "stable.safetensors"
"""What a longer run begins from: the end of the stable part, put in the checkpoint's place."""

log = logging.getLogger("eval.reader")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; a run is what its recipe and its data make of it."""

    epochs: float = 2.0
    rate: float = 1.5e-4
    warmup: int = 300
    """Batches over which the rate rises."""
    decay: float = 0.25
    """Last part of all batches, over which the rate falls."""
    tokens: int = 2048
    """Tokens of a batch, padding included."""
    weight_decay: float = 0.01
    seed: int = 1
    keep_minutes: float = 8.0


def train(plan: Plan, recipe: Recipe, folder: Path, most: int | None = None) -> Reader:
    """Train until the recipe's epochs are over, from the folder's checkpoint where there is one.

    At most `most` batches are gone through in all, where that is given.
    """
    torch.manual_seed(recipe.seed)
    torch.use_deterministic_algorithms(True)
    folder.mkdir(parents=True, exist_ok=True)
    cut, reader = Examples(), Reader()
    optimizer = _optimizer(reader, recipe)
    done = _resumed(folder, reader, optimizer)
    first = epoch(plan, cut, 0, recipe.seed, recipe.tokens)
    whole = int(len(first) * recipe.epochs)
    log.info("%s batches an epoch, %s in all, %s done", len(first), whole, done)
    (folder / "recipe.json").write_text(json.dumps(asdict(recipe), indent=2) + "\n")
    reader.train()
    fast = _has_bfloat16()
    began, kept, seen, smooth = time.monotonic(), time.monotonic(), 0, 0.0
    until = whole if most is None else min(whole, most)
    for batch in _batches(first, plan, cut, recipe, done, until):
        for group in optimizer.param_groups:
            group["lr"] = recipe.rate * _share(done, whole, recipe)
        with torch.autocast("cpu", torch.bfloat16, enabled=fast):
            loss = reader.loss(collated(batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        done += 1
        seen += len(batch)
        smooth = loss.item() if not smooth else 0.98 * smooth + 0.02 * loss.item()
        if done % 50 == 0:
            speed = seen / (time.monotonic() - began)
            log.info("%s of %s  loss %.3f  %.1f windows/s", done, whole, smooth, speed)
        if done == whole - int(whole * recipe.decay):
            _keep(folder / STABLE, reader, optimizer, done)
        if time.monotonic() - kept > 60 * recipe.keep_minutes:
            _keep(folder / CHECKPOINT, reader, optimizer, done)
            kept = time.monotonic()
    _keep(folder / CHECKPOINT, reader, optimizer, done)
    reader.eval()
    reader.keep(folder / "reader.safetensors")
    return reader


def _batches(
    first: Sequence[Sequence[Example]], plan: Plan, cut: Examples, recipe: Recipe, done: int, until: int
) -> Iterator[Sequence[Example]]:
    """Yield the batches that are still to come."""
    number, before, batches = 0, 0, first
    while before < until:
        for at in range(max(0, done - before), min(len(batches), until - before)):
            yield batches[at]
        before += len(batches)
        number += 1
        if before < until:
            batches = epoch(plan, cut, number, recipe.seed, recipe.tokens)


def _share(done: int, whole: int, recipe: Recipe) -> float:
    """Return the share of the rate that is in force."""
    falling = max(1.0, whole * recipe.decay)
    return min(1.0, (done + 1) / recipe.warmup, max(0.0, (whole - done) / falling))


def _optimizer(reader: Reader, recipe: Recipe) -> torch.optim.Optimizer:
    """Return AdamW; embeddings, biases and norms do not decay."""
    decaying = [
        value
        for name, value in reader.named_parameters()
        if value.ndim > 1 and "embeddings" not in name
    ]
    apart = {id(value) for value in decaying}
    rest = [value for value in reader.parameters() if id(value) not in apart]
    groups = [
        {"params": decaying, "weight_decay": recipe.weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=recipe.rate, fused=True)


def _keep(file: Path, reader: Reader, optimizer: torch.optim.Optimizer, done: int) -> None:
    """Write all that going on needs; a crash leaves the one before."""
    kept = {f"model.{name}": value.contiguous() for name, value in reader.state_dict().items()}
    for name, value in reader.named_parameters():
        for moment, known in optimizer.state[value].items():
            kept[f"{moment}.{name}"] = known.contiguous()
    scratch = file.with_suffix(".part")
    save_file(kept, scratch, {"done": str(done)})
    scratch.replace(file)
    log.info("kept after %s batches", done)


def _resumed(folder: Path, reader: Reader, optimizer: torch.optim.Optimizer) -> int:
    """Take up a checkpoint; return the batches that were done."""
    file = folder / CHECKPOINT
    if not file.exists():
        return 0
    with safe_open(file, "pt") as kept:
        done = int(kept.metadata()["done"])
        names = list(kept.keys())
        reader.load_state_dict(
            {name[6:]: kept.get_tensor(name) for name in names if name.startswith("model.")}
        )
        for name, value in reader.named_parameters():
            moments = [each.partition(".")[0] for each in names if each.partition(".")[2] == name]
            optimizer.state[value] = {
                moment: kept.get_tensor(f"{moment}.{name}") for moment in moments if moment != "model"
            }
    return done


def _has_bfloat16() -> bool:
    """Tell whether the processor multiplies in bfloat16; elsewhere that is slower by far."""
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & set(flags))
