"""Classifiers fitted on clean training features and asked at every noise level.

Each has ``fit(features, labels, n_classes)`` and ``scores(features)``, an (n, C) array whose
largest entry of a row is the prediction. `predictors` lists them by name; `zero_shot` needs no
fitting, only the directions of the class names from a text encoder.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tdafeat.checks import as_array, as_cloud, as_count, as_labels, check_positive
from tdafeat.directions import directions

CHUNK = 1024  # rows scored at a time by the nearest-neighbour vote


class Predictor(Protocol):
    """What a predictor can do; made without arguments by its entry in `predictors`."""

    def fit(self, features: Any, labels: Any, n_classes: int) -> Predictor:
        """Learn from (n, D) clean training features and their labels in 0..n_classes - 1."""
        ...

    def scores(self, features: Any) -> np.ndarray:
        """Score of every class for each row, (n, C) float64; larger is likelier."""
        ...


class LinearHead:
    """A linear map of the features to logits, such as a network's own last layer.

    Parameters
    ----------
    weights : (C, D), a row for each class. bias : (C,).

    Scores are probabilities: the softmax of the logits.

    Raises
    ------
    ValueError if weights and bias do not fit each other, or the features not the weights.

    Examples
    --------
    >>> LinearHead([[0.0], [1.0]], [0.0, 0.0]).scores([[0.0], [1.0]]).round(3)
    array([[0.5  , 0.5  ],
           [0.269, 0.731]])
    """

    def __init__(self, weights: Any, bias: Any) -> None:
        self.weights = as_cloud(weights, "weights", min_samples=2)
        self.bias = as_array(bias, "bias", 1).astype(np.float64)
        if self.bias.shape != (len(self.weights),) or not np.isfinite(self.bias).all():
            raise ValueError(
                f"bias must hold a finite number for each of the {len(self.weights)} rows of "
                f"weights; got shape {self.bias.shape}"
            )

    def scores(self, features: Any) -> np.ndarray:
        """Probability of each class, (n, C)."""
        from scipy.special import softmax

        points = _asked(features, self.weights.shape[1])
        return softmax(points @ self.weights.T + self.bias, axis=1)


class Probe:
    """Linear probe: multinomial logistic regression by L-BFGS on standardised features.

    Parameters
    ----------
    regularisation : weight of the squared L2 penalty, the inverse of scikit-learn's C.

    Scores are probabilities. Once fitted, ``head`` is the `LinearHead` it found: standardising is
    part of its weights, which add up to 0 over the classes.

    References
    ----------
    Alain, Bengio (2016), Understanding intermediate layers using linear classifier probes.

    Examples
    --------
    >>> probe = Probe().fit([[0.0], [1.0], [4.0], [5.0]], [0, 0, 1, 1], n_classes=2)
    >>> probe.scores([[0.5], [4.5]]).argmax(axis=1)
    array([0, 1])
    """

    def __init__(self, regularisation: float = 1.0) -> None:
        check_positive(regularisation, "regularisation")
        self.regularisation = regularisation

    def fit(self, features: Any, labels: Any, n_classes: int) -> Probe:
        """Fit on clean training features; every class needs a sample."""
        import warnings

        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        points, known = _training_set(features, labels, n_classes)
        scaler = StandardScaler().fit(points)
        regression = LogisticRegression(C=1 / self.regularisation, max_iter=2000)
        with warnings.catch_warnings():  # of options of scipy's that scikit-learn sets
            warnings.filterwarnings("ignore", "scipy.optimize", DeprecationWarning)
            regression.fit(scaler.transform(points), known)
        weights, bias = regression.coef_ / scaler.scale_, regression.intercept_
        bias = bias - weights @ scaler.mean_
        if len(weights) == 1:  # of two classes scikit-learn keeps the difference alone
            weights, bias = np.vstack([-weights, weights]) / 2, np.append(-bias, bias) / 2
        self.head = LinearHead(weights, bias)
        return self

    def scores(self, features: Any) -> np.ndarray:
        """Probability of each class, (n, C)."""
        return _fitted(self, "head").scores(features)


class WeightedNeighbours:
    """k-NN as DINO votes: the k training rows of largest cosine, each weighing exp(cosine / T).

    Parameters
    ----------
    n_neighbors : k; all training rows where there are fewer.
    temperature : T.

    Scores are the shares of the vote. A row of zeros has cosine 0 with every other.

    References
    ----------
    Wu et al. (2018), Unsupervised feature learning via non-parametric instance discrimination;
    Caron et al. (2021), Emerging properties in self-supervised vision transformers.

    Examples
    --------
    >>> knn = WeightedNeighbours(n_neighbors=1).fit([[1.0, 0], [0, 1.0]], [0, 1], n_classes=2)
    >>> knn.scores([[0.9, 0.1]])
    array([[1., 0.]])
    """

    def __init__(self, n_neighbors: int = 20, temperature: float = 0.07) -> None:
        check_positive(temperature, "temperature")
        self.n_neighbors = as_count(n_neighbors, "n_neighbors")
        self.temperature = temperature

    def fit(self, features: Any, labels: Any, n_classes: int) -> WeightedNeighbours:
        """Remember the clean training features; every class needs a sample."""
        points, known = _training_set(features, labels, n_classes)
        self._rows = directions(points)
        self._one_hot = np.eye(n_classes)[known]
        return self

    def scores(self, features: Any) -> np.ndarray:
        """Share of the vote of each class, (n, C)."""
        rows = directions(_asked(features, _fitted(self, "_rows").shape[1]))
        parts = [self._vote(rows[i : i + CHUNK]) for i in range(0, len(rows), CHUNK)]
        return np.concatenate(parts)

    def _vote(self, rows: np.ndarray) -> np.ndarray:
        k = min(self.n_neighbors, len(self._rows))
        cosines = rows @ self._rows.T
        nearest = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
        taken = np.take_along_axis(cosines, nearest, axis=1)
        # relative to the nearest, which changes no share and keeps a small temperature finite
        with np.errstate(over="ignore"):  # to minus infinity, a weight of 0
            weights = np.exp((taken - taken.max(axis=1, keepdims=True)) / self.temperature)
        votes = np.einsum("nk,nkc->nc", weights, self._one_hot[nearest])
        return votes / votes.sum(axis=1, keepdims=True)


class NearestClassMean:
    """Nearest class mean; scores are minus the Euclidean distances to the training means.

    References
    ----------
    Mensink et al. (2013), Distance-based image classification.

    Examples
    --------
    >>> NearestClassMean().fit([[0.0], [2.0]], [0, 1], n_classes=2).scores([[0.5]])
    array([[-0.5, -1.5]])
    """

    def fit(self, features: Any, labels: Any, n_classes: int) -> NearestClassMean:
        """Average the clean training features of each class; every class needs a sample."""
        points, known = _training_set(features, labels, n_classes)
        self._means = np.stack([points[known == c].mean(axis=0) for c in range(n_classes)])
        return self

    def scores(self, features: Any) -> np.ndarray:
        """Minus the distance to each class mean, (n, C), in units of the features."""
        from scipy.spatial.distance import cdist

        means = _fitted(self, "_means")
        return -cdist(_asked(features, means.shape[1]), means)


predictors: dict[str, type[Predictor]] = {
    "probe": Probe,
    "knn": WeightedNeighbours,
    "class_mean": NearestClassMean,
}


def zero_shot(features: Any, text: Any) -> np.ndarray:
    """Cosine of each feature with the direction of each class name.

    Parameters
    ----------
    features : (n, D) image features. text : (C, D) text features of the classes.

    Returns
    -------
    (n, C) float64 in [-1, 1]; 0 for a row of zeros.

    References
    ----------
    Radford et al. (2021), Learning transferable visual models from natural language supervision.

    Examples
    --------
    >>> zero_shot([[2.0, 0]], [[1.0, 0], [0, 1.0]])
    array([[1., 0.]])
    """
    images, names = as_cloud(features), as_cloud(text, "text")
    if images.shape[1] != names.shape[1]:
        raise ValueError(
            "features and text must have equally many columns; "
            f"got shapes {images.shape} and {names.shape}"
        )
    return directions(images) @ directions(names).T


def _fitted(predictor: Predictor, learnt: str) -> Any:
    """What a predictor has learnt, by the name of its attribute."""
    if not hasattr(predictor, learnt):
        raise ValueError(f"{type(predictor).__name__} must be fitted before it is asked for scores")
    return getattr(predictor, learnt)


def _asked(features: Any, n_columns: int) -> np.ndarray:
    points = as_cloud(features)
    if points.shape[1] != n_columns:
        raise ValueError(
            f"features must have {n_columns} columns, as what the predictor was fitted on; "
            f"got shape {points.shape}"
        )
    return points


def _training_set(features: Any, labels: Any, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    points = as_cloud(features, "training features")
    known = as_labels(labels, len(points), "training labels")
    as_count(n_classes, "n_classes", least=2)
    if known.min() < 0 or known.max() >= n_classes:
        raise ValueError(
            f"training labels must lie in 0..{n_classes - 1}; got {known.min()} to {known.max()}"
        )
    missing = np.flatnonzero(np.bincount(known, minlength=n_classes) == 0)
    if len(missing):
        raise ValueError(
            f"every class needs a training sample; class {missing[0]} has none "
            f"({len(missing)} of {n_classes} classes are empty)"
        )
    return points, known
