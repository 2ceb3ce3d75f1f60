"""Teach a small transformer without labels: ``python -m tdafeat.training.dino``.

Self-distillation (DINO, Caron et al. 2021): a student learns to read in any crop of an image what
its teacher, a running average of itself, reads in the large ones.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser, BooleanOptionalAction, Namespace
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tdafeat.encoders.checkpoint import fill, read_weights
from tdafeat.encoders.tiny_dino import Architecture, make_vit, preprocessing, read_dino
from tdafeat.evaluation.predictors import WeightedNeighbours
from tdafeat.training.command import Method, Trained
from tdafeat.training.data import Batchable, holdout, prepared
from tdafeat.training.loop import Settings, fit, seeded
from tdafeat.training.multi_crop import look
from tdafeat.training.self_distillation import cosine, follow, random_masks, targets
from tdafeat.training.student_teacher import N_GLOBAL, Recipe, SelfDistillation

MODULE = "tdafeat.training.dino"
SETTINGS: dict[str, Any] = {
    "learning_rate": 2e-3,
    "weight_decay": 0.04,
    "optimiser": "adamw",
    "schedule": "cosine",
    "warmup": 200,
    "clip": 3.0,
    "keep": "last",  # so that no label has a say in the weights
}


def neighbour_accuracy(
    backbone: Any, known: Batchable, asked: Batchable, device: torch.device
) -> float:
    """Share of images whose 20 nearest in `known`, by cosine of class tokens, vote for its class.

    The vote is that of `WeightedNeighbours`.
    """

    def encoded(data: Batchable) -> Any:
        with torch.inference_mode():
            parts = [
                backbone.forward_features(normalised(pixels, device))[:, 0]
                for pixels in data.pixels.split(256)
            ]
        return torch.cat(parts).cpu().numpy()

    voters = WeightedNeighbours().fit(encoded(known), known.labels.numpy(), len(known.classes))
    return float((voters.scores(encoded(asked)).argmax(axis=1) == asked.labels.numpy()).mean())


def information(network: SelfDistillation, asked: Batchable, device: torch.device) -> float:
    """Nats that the teacher's answer tells of an image, from 0 to the log of the prototypes.

    The entropy of its mean answer less the mean entropy of its answers. 0 if it answers the same
    to every image, be it always one prototype or all of them alike: then there is nothing left
    for a student to learn, wherever the features are.
    """
    with torch.inference_mode():
        answers = torch.cat(
            [
                targets(
                    network.teacher.head(network.teacher(normalised(pixels, device))[0]),
                    network.centre,
                    network.sharpness,
                )
                for pixels in asked.pixels.split(256)
            ]
        )
    return float(torch.special.entr(answers.mean(dim=0)).sum()) - float(
        torch.special.entr(answers).sum(dim=1).mean()
    )


def normalised(pixels: Tensor, device: torch.device) -> Tensor:
    """uint8 pixels to the network's input on its device."""
    return preprocessing(pixels.shape[-1]).normalise(pixels.to(device, torch.float32) / 255)


def train(
    data: Batchable,
    recipe: Recipe,
    settings: Settings,
    device: torch.device,
    checkpoint: Path,
    observe: Callable[[int, nn.Module], None] | None = None,
    steps: Collection[int] = (),
    architecture: Architecture | None = None,
) -> tuple[Any, list[dict[str, float]]]:
    """Teach a network, and look at it along the way.

    Labels teach nothing: they make the held-out score that the course of training shows.

    Parameters
    ----------
    data : square images of the architecture's size.
    settings : `SETTINGS` are those of ``tiny:dino``, beside epochs and batch size.
    checkpoint : the state of the training; the teacher at each of `steps` is kept beside it, as
        ``CHECKPOINT-STEP.safetensors``.
    observe : called for each of `steps` in order, as soon as it is reached, with the step and the
        teacher's transformer as it is then (each a network of its own, in evaluation mode).
        A training that was killed and goes on, or is asked for again, shows the same networks.
    steps : numbers of steps made, 0 (before training) to ``settings.steps``.
    architecture : that of ``tiny:dino`` if None.

    Returns
    -------
    The teacher's transformer, in evaluation mode, and the course of training, with the
    `information` of the teacher's answers on held-out images.

    Raises
    ------
    ValueError for images of another size or a step outside the training; what `fit` raises.
    """
    shape = architecture or Architecture()
    if data.pixels.shape[1:] != (3, shape.size, shape.size):
        raise ValueError(
            f"data must hold images of shape {(3, shape.size, shape.size)}; "
            f"got {tuple(data.pixels.shape[1:])}"
        )
    known, held = holdout(data, fraction=0.1, seed=settings.seed)
    _, voters = holdout(known, fraction=min(0.9, 3000 / len(known)), seed=settings.seed)
    total = settings.steps(len(known))
    shown = sorted(set(steps))
    if shown and not 0 <= shown[0] <= shown[-1] <= total:
        raise ValueError(
            f"steps must lie from 0 to {total}, the length of the training; got {shown}"
        )
    with seeded(settings.seed):
        network = SelfDistillation(shape, recipe).to(device)
    backbone = network.teacher.backbone

    def beside(step: int) -> Path:
        return checkpoint.with_name(f"{checkpoint.name}-{step}.safetensors")

    def keep(step: int) -> None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        save_file({k: v.cpu() for k, v in backbone.state_dict().items()}, beside(step))

    unseen = list(shown)

    def show(last: int) -> None:
        """Up to this step; those before a training was killed too, once it goes on."""
        while observe is not None and unseen and unseen[0] <= last:
            with seeded(0):  # the training's random numbers are left alone
                then = make_vit(shape)
            fill(then, read_weights(beside(unseen[0])), beside(unseen[0]))
            observe(unseen.pop(0), then.to(device).eval())

    def loss(rows: Tensor, generator: torch.Generator) -> Tensor:
        images = known.pixels[rows].to(device, torch.float32) / 255

        def looks(n: int, size: int, area: tuple[float, float]) -> Tensor:
            crops = [look(images, size, area, generator) for _ in range(n)]
            return preprocessing(size).normalise(torch.cat(crops))

        large = looks(N_GLOBAL, recipe.global_size, recipe.global_area)
        small = masked = None
        if recipe.local_crops:
            small = looks(recipe.local_crops, recipe.local_size, recipe.local_area)
        if recipe.ibot:
            n_patches = (recipe.global_size // shape.patch) ** 2
            masked = random_masks(len(large), n_patches, generator).to(device)
        return network.loss(large, small, masked)

    def after_step(step: int) -> None:
        follow(network.teacher, network.student, cosine(step, total, recipe.momentum, 1.0))
        if step in shown:
            keep(step)
            show(step)

    if 0 in shown:
        keep(0)
        show(0)
    outcome = fit(
        network,
        len(known),
        loss,
        lambda: neighbour_accuracy(backbone, voters, held, device),
        settings,
        checkpoint,
        task={
            "network": asdict(shape),
            "data": data.description,
            "recipe": asdict(recipe),
            "steps": shown,
        },
        after_step=after_step,
        watch=lambda: {"information": information(network, held, device)},
    )
    show(total)
    return backbone, outcome.history


def evaluate(
    backbone: Any, known: Batchable, test: Batchable, device: torch.device
) -> dict[str, Any]:
    """k-NN accuracy on the test part, of the network and of one that was never trained."""
    with seeded(0):
        untrained = make_vit().eval()
    reached, floor = (
        neighbour_accuracy(each.to(device), known, test, device) for each in (backbone, untrained)
    )
    print(f"k-NN accuracy {reached:.4f} on {len(test)} images (untrained {floor:.4f})")
    return {
        "data": test.description,
        "neighbours": known.description,
        "knn_accuracy": reached,
        "untrained_knn_accuracy": floor,
    }


def _train(
    arguments: Namespace, settings: Settings, device: torch.device, checkpoint: Path
) -> Trained[Any]:
    recipe = Recipe(
        centring=arguments.centring,
        sharpening=arguments.sharpening,
        koleo=arguments.koleo,
        ibot=arguments.ibot,
    )
    data = _prepared(arguments, "train", arguments.seeds)
    backbone, history = train(data, recipe, settings, device, checkpoint)
    return Trained(
        backbone,
        backbone.state_dict(),
        "vision transformer of tdafeat.encoders.tiny_dino",
        data.description,
        history,
        about={"recipe": asdict(recipe)},
    )


def _measure(backbone: Any, arguments: Namespace, device: torch.device) -> dict[str, Any]:
    known, test = (_prepared(arguments, split) for split in ("train", "test"))
    return evaluate(backbone, known, test, device)


def _prepared(arguments: Namespace, split: str, seeds: Sequence[int] = (0,)) -> Batchable:
    return prepared(arguments.data, split, preprocessing(Architecture().size), seeds)


def _options(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("recipe").add_argument
    for name in ("centring", "sharpening"):
        add(f"--{name}", action=BooleanOptionalAction, default=getattr(Recipe, name))
    add("--koleo", type=float, default=Recipe.koleo, metavar="W", help="weight of KoLeo")
    add("--ibot", type=float, default=Recipe.ibot, metavar="W", help="weight of masked patches")


METHOD = Method(
    module=MODULE,
    description="Teach a small vision transformer by self-distillation, without labels.",
    train=_train,
    read=lambda arguments, path: read_dino(path),
    measure=_measure,
    defaults={"data": "textures", "batch_size": 64},
    fixed=SETTINGS,
    extend=_options,
)

if __name__ == "__main__":
    sys.exit(METHOD.main())
