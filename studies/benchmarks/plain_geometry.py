"""The geometry of feature spaces in one plain script, as the manuals of its libraries show it.

scipy, scikit-learn and scikit-dimension, numpy for what they have not, a loop for each class and
each pair. Nothing is done in a foolish way: neighbours are searched by scikit-learn, once for each
cloud and normalisation, and what one singular value decomposition gives is read from it.
"""

import time
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from scipy.linalg import subspace_angles
from scipy.spatial import procrustes
from scipy.spatial.distance import pdist
from scipy.stats import skew, spearmanr
from sklearn.decomposition import PCA
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

K = 10  # directions of a subspace, neighbours of a row


def plain_table(levels, labels):
    """(metric, level, scope) to value, and seconds by group of metrics."""
    found, spent = {}, {}

    @contextmanager
    def timed(group):
        start = time.perf_counter()
        yield
        spent[group] = spent.get(group, 0.0) + time.perf_counter() - start

    clean = levels[0]
    for level, x in enumerate(levels):
        classes = np.unique(labels)
        for scope in ("all", *classes):
            rows = slice(None) if scope == "all" else labels == scope

            def keep(values, level=level, scope=scope):
                found.update({(name, level, scope): value for name, value in values.items()})

            with timed("spectra"):
                keep(spectra(x[rows]))
            with timed("uniformity and neighbours"):
                keep(uniformity(x[rows]))
            with timed("intrinsic dimension"):
                keep(dimension(x[rows]))
            if level:
                with timed("angles to clean"):
                    keep(angles_to_clean(x[rows], clean[rows]))
                with timed("similarity to clean"):
                    keep(similarity(x[rows], clean[rows]))
        with timed("collapse"):
            found.update({(n, level, "all"): v for n, v in collapse(x, labels).items()})
        with timed("angles between classes"):
            found.update({(n, level, "all"): v for n, v in class_angles(x, labels).items()})
    return found, spent


def spectra(x):
    pca = PCA().fit(x)
    values = pca.explained_variance_[: min(len(x) - 1, x.shape[1])]
    share = values / values.sum()
    cumulative = np.cumsum(share)
    last = max(3, len(values) // 2)
    log_rank, log_value = np.log(np.arange(1, last + 1)), np.log(values[:last])
    slope, intercept = np.polyfit(log_rank, log_value, 1)
    residual = log_value - slope * log_rank - intercept
    singular = np.linalg.svd(x, compute_uv=False)
    p = singular / singular.sum() + 1e-7
    return {
        "rankme": np.exp(-(p * np.log(p)).sum()),
        "total_variance": values.sum(),
        "participation_ratio": values.sum() ** 2 / (values**2).sum(),
        "effective_rank": np.exp(-(share * np.log(share)).sum()),
        "stable_rank": values.sum() / values[0],
        "n_components_90": 1.0 + (cumulative < 0.9).sum(),
        "n_components_95": 1.0 + (cumulative < 0.95).sum(),
        "n_components_99": 1.0 + (cumulative < 0.99).sum(),
        "condition_number": values[0] / values[-1],
        "collapsed_dimensions": (values < 1e-4 * values[0]).mean(),
        "power_law_exponent": -slope,
        "power_law_r_squared": 1 - residual.var() / log_value.var(),
    }


def uniformity(x):
    unit = normalize(x)
    nearest_unit = NearestNeighbors(n_neighbors=1).fit(unit).kneighbors()[0][:, 0]
    distances, chosen = NearestNeighbors(n_neighbors=K).fit(x).kneighbors()
    cosines = cosine_similarity(x)[np.triu_indices(len(x), 1)]
    return {
        "koleo": -np.log(nearest_unit).mean(),
        "uniformity": np.log(np.exp(-2 * pdist(unit) ** 2).mean()),
        "mean_cosine": cosines.mean(),
        "nearest_neighbour_distance": np.median(distances[:, 0]),
        "nearest_neighbour_q10": np.quantile(distances[:, 0], 0.1),
        "nearest_neighbour_q90": np.quantile(distances[:, 0], 0.9),
        "hubness": skew(np.bincount(chosen.ravel(), minlength=len(x))),
    }


def dimension(x):
    from skdim.id import MLE, TwoNN

    two_nn = TwoNN(discard_fraction=0.1).fit(x).dimension_
    # its integral is over a row's k nearest others, combined by the harmonic mean
    levina_bickel = MLE().fit(x, n_neighbors=20, comb="mle").dimension_
    return {"two_nn": two_nn, "levina_bickel": levina_bickel}


def directions(x):
    # by itself scikit-learn takes a randomised method here, which is off by a thousandth
    return PCA(n_components=K, svd_solver="full").fit(x).components_.T


def angles_to_clean(x, clean):
    angles = subspace_angles(directions(x), directions(clean))
    return {
        "subspace_angle_to_clean": angles.mean(),
        "subspace_grassmann_to_clean": np.linalg.norm(angles),
        "subspace_chordal_to_clean": np.linalg.norm(np.sin(angles)),
        "subspace_projection_to_clean": np.sin(angles.max()),
    }


def similarity(x, clean):
    n = len(x)

    def u_centred(gram):
        np.fill_diagonal(gram, 0)
        means = gram.sum(0) / (n - 2)
        gram = gram - means[:, None] - means + gram.sum() / ((n - 1) * (n - 2))
        np.fill_diagonal(gram, 0)
        return gram

    a, b = u_centred(x @ x.T), u_centred(clean @ clean.T)
    rows = slice(None)
    if n > 2000:  # spread as ours are; of all 16 million pairs the ranks alone take a while
        order = np.argsort(np.square(clean - clean.mean(0)).sum(1), kind="stable")
        rows = order[np.linspace(0, n - 1, 2000).round().astype(int)]
    near = [
        NearestNeighbors(n_neighbors=K, metric="cosine").fit(y).kneighbors(return_distance=False)
        for y in (x, clean)
    ]
    return {
        "linear_cka": (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()),
        "procrustes": procrustes(x, clean)[2],
        "representational_similarity": spearmanr(pdist(x[rows]), pdist(clean[rows])).statistic,
        "mutual_neighbours": np.mean(
            [len(set(p) & set(q)) / K for p, q in zip(*near, strict=True)]
        ),
        "alignment": (np.linalg.norm(normalize(x) - normalize(clean), axis=1) ** 2).mean(),
        "displacement": np.linalg.norm(x - clean, axis=1).mean(),
    }


def collapse(x, labels):
    classes = np.unique(labels)
    n_classes = len(classes)
    means = np.array([x[labels == c].mean(0) for c in classes])
    centred = means - means.mean(0)
    within = sum(
        ((x[labels == c] - m).T @ (x[labels == c] - m)) for c, m in zip(classes, means, strict=True)
    )
    within /= len(x)
    between = centred.T @ centred / n_classes
    norms = np.linalg.norm(centred, axis=1)
    cosines = [
        abs(centred[i] @ centred[j] / norms[i] / norms[j] + 1 / (n_classes - 1))
        for i, j in combinations(range(n_classes), 2)
    ]
    variances = [x[labels == c].var(0).sum() for c in classes]
    ratios = [
        (variances[i] + variances[j]) / (2 * ((means[i] - means[j]) ** 2).sum())
        for i, j in combinations(range(n_classes), 2)
    ]
    gram = centred @ centred.T
    simplex = (np.eye(n_classes) - 1 / n_classes) / np.sqrt(n_classes - 1)
    ratio = np.trace(within @ np.linalg.pinv(between, rcond=1e-10))
    return {
        "nc1": ratio / n_classes,
        "nc1_trace": np.trace(within) / np.trace(between),
        "nc2_equinorm": norms.std(ddof=1) / norms.mean(),
        "nc2_equiangular": np.mean(cosines),
        "etf_distance": np.linalg.norm(gram / np.linalg.norm(gram) - simplex),
        "class_distance_variance": np.mean(ratios),
    }


def class_angles(x, labels):
    classes = np.unique(labels)
    bases = [directions(x[labels == c]) for c in classes]
    names = ("mean", "max", "min")
    matrices = {f"class_angle_{name}": np.zeros((len(classes),) * 2) for name in names}
    distances = ("grassmann", "chordal", "projection")
    matrices |= {f"class_{name}": np.zeros((len(classes),) * 2) for name in distances}
    for i, j in combinations(range(len(classes)), 2):
        angles = subspace_angles(bases[i], bases[j])
        values = {
            "class_angle_mean": angles.mean(),
            "class_angle_max": angles.max(),
            "class_angle_min": angles.min(),
            "class_grassmann": np.linalg.norm(angles),
            "class_chordal": np.linalg.norm(np.sin(angles)),
            "class_projection": np.sin(angles.max()),
        }
        for name, value in values.items():
            matrices[name][i, j] = matrices[name][j, i] = value
    return matrices
