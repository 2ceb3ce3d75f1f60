"""Every evaluation metric beside an independent implementation of it, on 200 random inputs."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.integrate import trapezoid
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.spatial.distance import cdist
from sklearn import metrics as sk
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tdafeat import evaluation
from tdafeat.compat import import_torchvision
from tests.evaluation.inputs import draw

import_torchvision()  # torchmetrics imports it, and not every build of it fits every torch
import torchmetrics.functional as tm  # noqa: E402
from torchmetrics.functional.clustering import (  # noqa: E402
    calinski_harabasz_score,
    davies_bouldin_score,
)

INPUTS = 200

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def agree(found, expected, rtol=1e-9, atol=1e-9):
    for seed in range(INPUTS):
        rng = np.random.default_rng(seed)
        given = draw(rng)
        np.testing.assert_allclose(
            found(given), expected(given), rtol=rtol, atol=atol, err_msg=f"input {seed}"
        )


def tensors(given, *names):
    return [torch.from_numpy(given[name]) for name in names]


def of_queries(given, metric):
    """Mean over queries of a torchmetrics retrieval measure on cosines with all others."""
    features, labels = given["features"], given["labels"]
    cosines = torch.from_numpy(1 - cdist(features, features, "cosine"))
    own = torch.from_numpy(labels[:, None] == labels)
    rest = ~torch.eye(len(labels), dtype=bool)
    values = [metric(cosines[i][rest[i]], own[i][rest[i]]) for i in range(len(labels))]
    return float(torch.stack(values).double().mean())


def test_accuracy():
    def found(g):
        k = min(g["k"], len(g["classes"]) - 1)
        return [evaluation.accuracy(g["scores"], g["labels"], j).value for j in (1, k)]

    def expected(g):
        k = min(g["k"], len(g["classes"]) - 1)
        top = sk.top_k_accuracy_score
        two = len(g["classes"]) == 2  # scikit-learn then takes the score of the second class
        scores = g["scores"][:, 1] - g["scores"][:, 0] if two else g["scores"]
        first = sk.accuracy_score(g["labels"], g["scores"].argmax(axis=1))
        return [first, first if two else top(g["labels"], scores, k=k, labels=g["classes"])]

    agree(found, expected)


def test_ranks_and_margins():
    def found(g):
        return np.c_[
            evaluation.ranks(g["scores"], g["labels"]),
            evaluation.margins(g["scores"], g["labels"]),
        ]

    def expected(g):
        rows = zip(g["scores"], g["labels"], strict=True)
        return [
            (1 + sorted(row, reverse=True).index(row[c]), row[c] - max(np.delete(row, c)))
            for row, c in rows
        ]

    agree(found, expected)
    agree(
        lambda g: evaluation.margin(g["scores"], g["labels"]),
        lambda g: np.mean([margin for _, margin in expected(g)]),
    )


def test_calibration_error():
    # torchmetrics' bins hold their lower end, ours their upper one: no random number is an end
    agree(
        lambda g: evaluation.expected_calibration_error(g["probabilities"], g["labels"]),
        lambda g: tm.calibration_error(
            *tensors(g, "probabilities", "labels"),
            task="multiclass",
            num_classes=len(g["classes"]),
            n_bins=15,
        ),
        atol=1e-6,  # it adds in float32
    )


def test_negative_log_likelihood():
    agree(
        lambda g: evaluation.negative_log_likelihood(g["probabilities"], g["labels"]),
        lambda g: sk.log_loss(g["labels"], g["probabilities"]),
    )


def test_brier_score():
    def expected(g):
        chances = zip(g["classes"], g["probabilities"].T, strict=True)
        return sum(sk.brier_score_loss(g["labels"] == c, p) for c, p in chances)

    agree(lambda g: evaluation.brier_score(g["probabilities"], g["labels"]), expected)


def test_confusion_and_report():
    agree(
        lambda g: evaluation.confusion_matrix(g["labels"], g["predicted"], g["classes"]),
        lambda g: tm.confusion_matrix(
            *tensors(g, "predicted", "labels"), task="multiclass", num_classes=len(g["classes"])
        ),
    )
    agree(
        lambda g: evaluation.classification_report(g["labels"], g["predicted"]).fillna(0),
        lambda g: np.transpose(
            sk.precision_recall_fscore_support(g["labels"], g["predicted"], zero_division=0)
        ),
    )


def test_retrieval():
    for name, metric, k in (
        ("precision_at", tm.retrieval.retrieval_precision, 3),
        ("top_k_accuracy", tm.retrieval.retrieval_hit_rate, 2),
    ):
        for seed in range(0, INPUTS, 10):  # a query is a call of its own there
            given = draw(np.random.default_rng(seed))
            expected = of_queries(given, lambda s, r, m=metric, k=k: m(s, r, top_k=k))
            found = getattr(evaluation, name)(given["features"], given["labels"], k)
            assert found == pytest.approx(expected, abs=1e-6), (name, seed)


def test_retrieval_against_scikit_learn():
    def ranked(g):
        cosines = sk.pairwise.cosine_similarity(g["features"])
        np.fill_diagonal(cosines, -np.inf)
        return cosines, g["labels"] == g["labels"][:, None]

    def expected(g):
        cosines, own = ranked(g)
        keep = ~np.eye(len(own), dtype=bool)
        precision = [
            sk.average_precision_score(own[i][keep[i]], cosines[i][keep[i]])
            for i in range(len(own))
        ]
        nearest = np.argsort(-cosines, axis=1)[:, : g["k"]]
        relevant = np.take_along_axis(own, nearest, axis=1)
        return [np.mean(precision), relevant.mean(), relevant.any(axis=1).mean()]

    def found(g):
        given = g["features"], g["labels"]
        return [
            evaluation.mean_average_precision(*given),
            evaluation.precision_at(*given, g["k"]),
            evaluation.top_k_accuracy(*given, g["k"]),
        ]

    agree(found, expected)


def test_cluster_indices():
    agree(
        lambda g: [
            evaluation.calinski_harabasz(g["features"], g["labels"]),
            evaluation.davies_bouldin(g["features"], g["labels"]),
        ],
        lambda g: [
            float(index(*tensors(g, "features", "labels")))
            for index in (calinski_harabasz_score, davies_bouldin_score)
        ],
        rtol=1e-5,  # theirs are in float32
    )


def test_silhouette():
    def expected(g):
        distances, labels = cdist(g["features"], g["features"]), g["labels"]
        values = []
        for i, own in enumerate(labels):
            others = labels == own
            others[i] = False
            inside = distances[i, others].mean()
            outside = min(distances[i, labels == c].mean() for c in g["classes"] if c != own)
            values.append((outside - inside) / max(inside, outside))
        return np.mean(values)

    agree(lambda g: evaluation.silhouette(g["features"], g["labels"]), expected)


def test_purity():
    # of groups so far apart that every clustering finds them; a tree of merges does so here
    def in_groups(g):
        group = np.random.default_rng(len(g["labels"])).permutation(g["labels"])
        return 50 * np.eye(len(g["classes"]), g["features"].shape[1] + 9)[group] + np.pad(
            g["features"], ((0, 0), (0, 9))
        )

    def expected(g):
        tree = linkage(in_groups(g), method="ward")
        found = fcluster(tree, len(g["classes"]), criterion="maxclust")
        return pd.crosstab(g["labels"], found).max().sum() / len(g["labels"])

    agree(lambda g: evaluation.purity(in_groups(g), g["labels"]), expected)


def test_robustness_summaries():
    def expected(g):
        order = np.argsort(g["severities"])
        x, y = g["severities"][order], g["curve"][order]
        half, line = 0.1 + (y[0] - 0.1) / 2, interp1d(x, y - 0.1 - (y[0] - 0.1) / 2)
        first = np.flatnonzero(y <= half)
        met = brentq(line, x[first[0] - 1], x[first[0]], xtol=1e-12) if len(first) else np.inf
        return [trapezoid(y, x) / x[-1], met, y[1:].mean() / y[0]]

    def found(g):
        given = g["severities"], g["curve"]
        return [
            evaluation.accuracy_area(*given),
            evaluation.half_severity(*given, 0.1),
            evaluation.relative_accuracy(*given),
        ]

    agree(found, expected)


def scores_of(predictor):
    return lambda g: (
        predictor().fit(g["train"], g["labels"], len(g["classes"])).scores(g["features"])
    )


def test_neighbours_and_class_means():
    agree(
        scores_of(evaluation.WeightedNeighbours),
        lambda g: (
            KNeighborsClassifier(
                20, metric="cosine", algorithm="brute", weights=lambda d: np.exp((1 - d) / 0.07)
            )
            .fit(g["train"], g["labels"])
            .predict_proba(g["features"])
        ),
    )
    agree(
        scores_of(evaluation.NearestClassMean),
        lambda g: -cdist(g["features"], NearestCentroid().fit(g["train"], g["labels"]).centroids_),
    )
    agree(
        lambda g: evaluation.zero_shot(g["features"], g["text"]),
        lambda g: sk.pairwise.cosine_similarity(g["features"], g["text"]),
    )


def test_probe():
    agree(
        scores_of(evaluation.Probe),
        lambda g: (
            make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cg", tol=1e-6))
            .fit(g["train"], g["labels"])
            .predict_proba(g["features"])
        ),
        atol=1e-2,  # two solvers of one convex problem, each stopping at its own tolerance
    )
