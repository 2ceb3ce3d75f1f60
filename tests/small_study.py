"""A study of features of known shape, small enough to be killed, damaged and run again often."""

import os

import numpy as np

from tdafeat import FeatureSet, Levels, Study

CLASSES = tuple("abcd")
TABLES = ("metrics", "pairs", "diagrams", "spectra", "projections", "predictions", "associations")


def levels(seed=0, per_class=16, spreads=(0.3, 0.6, 1.2)):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(CLASSES)), per_class)
    centres = rng.normal(size=(len(CLASSES), 6))
    base = rng.normal(size=(len(labels), 6))
    names = tuple(f"image-{i}" for i in range(len(labels)))
    sets = [FeatureSet(centres[labels] + s * base, names, labels, CLASSES) for s in spreads]
    return Levels(sets[0], dict(enumerate(sets[1:], start=1)))


def study(**changes):
    declared = {
        "name": "small",
        "question": "Is it whole?",
        "features": {"one": levels(0)},
        "projections": ("pca",),
    }
    return Study(**(declared | changes))


def run(place, name="run", **options):
    return study().run(place / name, store=place / "store", quiet=True, **options)


def run_or_stop(place, jobs=None):
    """As a process of its own: a new session, so that it can be stopped with its workers."""
    os.setsid()
    run(place, jobs=jobs)


def tables(run):
    return {name: getattr(run, name) for name in TABLES}
