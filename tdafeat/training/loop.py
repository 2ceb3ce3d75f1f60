"""The loop every trainer shares: epochs, best-validation weights, checkpoints that resume.

Everything random in an epoch is drawn from a generator seeded by (seed, epoch), so a run killed
at any moment and started again goes on from its last whole epoch to the same result.
"""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tdafeat.errors import UnreadableData
from tdafeat.files import replace
from tdafeat.progress import Progress


@dataclass(frozen=True)
class Settings:
    """How a network is trained.

    Attributes
    ----------
    images_per_epoch : a fresh random part of the images for each epoch, None for all of them.
    optimiser : ``"adam"``; ``"adamw"`` decays weights apart from the gradient (Loshchilov, Hutter
        2019), and matrices alone: neither biases nor what normalises.
    schedule : of the learning rate. ``"plateau"`` halves it after `patience` epochs without a
        better validation score; ``"cosine"`` lets it fall to 0 along half a cosine, step by step.
    warmup : steps over which it rises from 0 at first; with ``"cosine"`` alone.
    clip : longest gradient, over all weights; longer ones are cut to it.
    keep : the outcome's weights: those of the ``"best"`` epoch by validation score, or the
        ``"last"``.
    precision : of the forward pass in training; weights, gradients and scores are float32.
    """

    epochs: int
    batch_size: int = 128
    images_per_epoch: int | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    optimiser: Literal["adam", "adamw"] = "adam"
    schedule: Literal["plateau", "cosine"] = "plateau"
    patience: int = 2
    warmup: int = 0
    clip: float | None = None
    keep: Literal["best", "last"] = "best"
    precision: Literal["float32", "bfloat16"] = "float32"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "images_per_epoch"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1; got {value}")
        if self.warmup and self.schedule != "cosine":
            raise ValueError(f"warmup belongs to schedule 'cosine'; got {self.schedule!r}")

    def steps(self, n_samples: int) -> int:
        """How many steps a training on so many samples takes.

        Examples
        --------
        >>> Settings(epochs=2, batch_size=10).steps(25)
        6
        """
        drawn = min(n_samples, self.images_per_epoch or n_samples)
        return self.epochs * math.ceil(drawn / self.batch_size)


@dataclass
class Outcome:
    """The weights that were kept, and the course of training.

    Attributes
    ----------
    history : per epoch, ``epoch``, ``step``, ``loss``, ``score``, ``learning_rate``, and what was
        watched.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, float]] = field(default_factory=list)


def fit(
    network: nn.Module,
    n_samples: int,
    loss: Callable[[Tensor, torch.Generator], Tensor],
    score: Callable[[], float],
    settings: Settings,
    checkpoint: Path,
    task: Mapping[str, Any] | None = None,
    after_step: Callable[[int], None] | None = None,
    watch: Callable[[], Mapping[str, float]] | None = None,
) -> Outcome:
    """Train until `settings.epochs`, resuming from `checkpoint` if it is there.

    Parameters
    ----------
    loss : (indices of a batch of training samples, generator) -> scalar to be minimised.
    score : validation score of the network as it is, higher is better.
    checkpoint : file the state is kept in after every epoch.
    task : plain values that say what is trained on what; the state of another is refused.
    after_step : called with the number of steps made, from 1. What it changes must lie in the
        weights and buffers of `network`, which the state holds: a network may carry its teacher.
    watch : further quantities of the network as it is, by name.

    Returns
    -------
    The course of training and the weights kept, which `network` holds too, in evaluation mode.

    Raises
    ------
    UnreadableData if `checkpoint` is damaged or of another network; ValueError if it is of another
    task or of other settings (more epochs apart, unless the schedule depends on them), or the loss
    of an epoch is not finite.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> x = torch.arange(8.0)[:, None]
    >>> with seeded(0):
    ...     line = nn.Linear(1, 1)
    >>> def loss(rows, generator):
    ...     return (line(x[rows]) - 3 * x[rows]).square().mean()
    >>> with TemporaryDirectory() as folder:
    ...     outcome = fit(line, 8, loss, lambda: 0.0, Settings(epochs=2), Path(folder) / "state")
    >>> outcome.history[1]["loss"] < outcome.history[0]["loss"]
    True
    """
    device = next(network.parameters()).device
    identity = {**(task or {}), **asdict(settings)}
    if settings.schedule == "plateau":
        del identity["epochs"]  # a longer training goes on from a shorter one
    learned = [p for p in network.parameters() if p.requires_grad]
    optimiser = _optimiser(learned, settings)
    schedule = _schedule(optimiser, settings, n_samples)
    outcome = Outcome(copy.deepcopy(network.state_dict()))
    if checkpoint.is_file():
        outcome = _resume(checkpoint, identity, network, optimiser, schedule)
        print(f"{checkpoint}: going on after epoch {len(outcome.history)}", file=sys.stderr)
    step = len(outcome.history) * settings.steps(n_samples) // settings.epochs
    for epoch in range(len(outcome.history) + 1, settings.epochs + 1):
        generator = torch.Generator().manual_seed(settings.seed * 100_003 + epoch)
        began, total = time.monotonic(), 0.0
        network.train()
        drawn = torch.randperm(n_samples, generator=generator)[: settings.images_per_epoch]
        batches = drawn.split(settings.batch_size)
        with Progress(f"epoch {epoch} of {settings.epochs}", len(batches)) as progress:
            for batch in batches:
                with torch.autocast(
                    device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"
                ):
                    value = loss(batch, generator)
                optimiser.zero_grad()
                value.backward()
                if settings.clip is not None:
                    nn.utils.clip_grad_norm_(learned, settings.clip)
                optimiser.step()
                step += 1
                if settings.schedule == "cosine":
                    schedule.step()
                if after_step is not None:
                    after_step(step)
                total += float(value.detach()) * len(batch)
                progress.advance()
        if not math.isfinite(total):
            raise ValueError(
                f"the loss of epoch {epoch} is not finite; lower learning_rate "
                f"(now {optimiser.param_groups[0]['lr']:g})"
            )
        network.eval()
        with torch.inference_mode():
            reached = score()
            watched = {} if watch is None else watch()
        rate = optimiser.param_groups[0]["lr"]
        if settings.schedule == "plateau":
            schedule.step(reached)
        highest = max((entry["score"] for entry in outcome.history), default=float("-inf"))
        if settings.keep == "last" or reached > highest:
            outcome.weights = copy.deepcopy(network.state_dict())
        outcome.history.append(
            {
                "epoch": epoch,
                "step": step,
                "loss": total / len(drawn),
                "score": reached,
                "learning_rate": rate,
                **watched,
            }
        )
        _keep(checkpoint, identity, network, optimiser, schedule, outcome)
        seconds = time.monotonic() - began
        print(
            f"epoch {epoch}: loss {total / len(drawn):.4f}, score {reached:.4f} ({seconds:.0f} s)",
            file=sys.stderr,
            flush=True,
        )
    network.load_state_dict(outcome.weights)
    network.eval()
    return outcome


def _optimiser(learned: list[nn.Parameter], settings: Settings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimiser == "adam":
        return torch.optim.Adam(learned, lr=rate, weight_decay=decay)
    matrices = {"params": [p for p in learned if p.ndim > 1], "weight_decay": decay}
    others = {"params": [p for p in learned if p.ndim <= 1], "weight_decay": 0.0}
    return torch.optim.AdamW([matrices, others], lr=rate)


def _schedule(optimiser: torch.optim.Optimizer, settings: Settings, n_samples: int) -> Any:
    if settings.schedule == "plateau":
        return torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimiser, mode="max", factor=0.5, patience=settings.patience
        )
    total = settings.steps(n_samples)

    def share(step: int) -> float:
        """Of the full learning rate, for the step after so many."""
        rising = min(1.0, (step + 1) / (settings.warmup + 1))
        falling = max(0.0, (step - settings.warmup) / max(1, total - settings.warmup))
        return rising * (1 + math.cos(math.pi * falling)) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimiser, share)


def _resume(
    path: Path, identity: dict[str, Any], network: nn.Module, optimiser: Any, schedule: Any
) -> Outcome:
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        before = state["identity"]
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
    except Exception:  # torch fails with a dozen kinds of exceptions
        raise UnreadableData(
            f"{path}: damaged, or not the state of this training; delete it to start anew"
        ) from None
    for name, value in identity.items():
        if before.get(name) != value:
            raise ValueError(
                f"{path}: the state of another training ({name} was {before.get(name)!r}, now "
                f"{value!r}); delete it, or write elsewhere"
            )
    return Outcome(state["weights"], state["history"])


def _keep(
    path: Path,
    identity: dict[str, Any],
    network: nn.Module,
    optimiser: Any,
    schedule: Any,
    outcome: Outcome,
) -> None:
    state = {
        "identity": identity,
        "network": network.state_dict(),
        "optimiser": optimiser.state_dict(),
        "schedule": schedule.state_dict(),
        "weights": outcome.weights,
        "history": outcome.history,
    }
    buffer = BytesIO()
    torch.save(state, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, buffer.getbuffer())


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw the initial weights of networks made inside from `seed`; the global state is restored.

    Modules of torch initialise themselves from the global generator and take no other.

    Examples
    --------
    >>> with seeded(0):
    ...     first = nn.Linear(2, 2).weight
    >>> with seeded(0):
    ...     second = nn.Linear(2, 2).weight
    >>> bool((first == second).all())
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
