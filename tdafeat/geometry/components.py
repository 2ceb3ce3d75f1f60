"""Principal components: the directions of a cloud in order of variance, and what T of them keep.

The eigenvalues alone, and numbers read off them, are in `tdafeat.geometry.spectra`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from tdafeat.checks import as_array, as_cloud, as_count, as_rows
from tdafeat.geometry.bases import basis_of_scatter
from tdafeat.geometry.moments import CHUNK, Moments, chunks
from tdafeat.geometry.scatter import scatter, smaller_route, without_rounding
from tdafeat.geometry.spectra import explained_variance_ratio, spectrum

Route = Literal["auto", "covariance", "gram", "svd"]


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The principal components of a cloud of n rows, as `principal_components` finds them.

    Attributes
    ----------
    mean : (D,) mean of the rows.
    components : (T, D) orthonormal rows, by descending variance, each with its largest entry
        (in size) positive.
    spectrum : (min(n - 1, D),) all eigenvalues of the covariance, whatever T is.
    n_samples : n.
    """

    mean: np.ndarray
    components: np.ndarray
    spectrum: np.ndarray
    n_samples: int

    @property
    def eigenvalues(self) -> np.ndarray:
        """(T,) variance along each component (ddof = 1), squared units of the features."""
        return self.spectrum[: len(self.components)]

    @property
    def explained_variance_ratio(self) -> np.ndarray:
        """(T,) share of the total variance along each component."""
        return explained_variance_ratio(self.spectrum)[: len(self.components)]

    @property
    def residual_variance(self) -> np.ndarray:
        """(T + 1,) mean squared reconstruction error of the cloud from 0, 1, ..., T components.

        In closed form: the sum of the remaining eigenvalues. They divide by n - 1 and a mean by
        n, hence a factor (n - 1) / n.
        """
        remaining = np.append(np.cumsum(self.spectrum[::-1])[::-1], 0.0)
        share = (self.n_samples - 1) / self.n_samples
        return share * remaining[: len(self.components) + 1]

    def project(self, features: Any, n_components: int | None = None) -> np.ndarray:
        """Coordinates (m, T) of rows (m, D) along the first `n_components`, or along all.

        There are no more than the cloud has; fewer than 0 are a ValueError.
        """
        if n_components is not None:
            as_count(n_components, "n_components", least=0)
        features = as_rows(features)
        if features.shape[1] != len(self.mean):
            raise ValueError(
                f"features must have {len(self.mean)} columns, as the components have; "
                f"got shape {tuple(features.shape)}"
            )
        along = self.components[:n_components].T
        parts = [(rows.numpy() - self.mean) @ along for _, rows in chunks(features, CHUNK)]
        return np.concatenate(parts)

    def reconstruct(self, coordinates: Any) -> np.ndarray:
        """Rows (m, D) at these coordinates (m, T), along the first T components."""
        along = as_array(coordinates, "coordinates", 2).astype(np.float64, copy=False)
        if along.shape[1] > len(self.components) or not np.isfinite(along).all():
            raise ValueError(
                f"coordinates must be (m, T), finite, with T at most {len(self.components)}; "
                f"got shape {along.shape}"
            )
        return self.mean + along @ self.components[: along.shape[1]]

    def whiten(self, features: Any, n_components: int | None = None) -> np.ndarray:
        """Coordinates (m, T) over their standard deviations, so that the cloud's covariance is I.

        Examples
        --------
        >>> cloud = [[3.0, 1], [-3, 1], [3, -1], [-3, -1]]
        >>> white = principal_components(cloud).whiten(cloud)
        >>> bool(np.allclose(np.cov(white.T), np.eye(2)))
        True
        """
        return self.project(features, n_components) / np.sqrt(self.eigenvalues[:n_components])

    def reconstruction_error(self, features: Any, n_components: int | None = None) -> float:
        """Mean squared distance of rows (m, D) to their reconstruction, as measured.

        Of the cloud itself it equals ``residual_variance[n_components]`` up to rounding; of other
        rows it is what the components do not generalise to.
        """
        errors = []
        for _, rows in chunks(as_rows(features), CHUNK):
            rebuilt = self.reconstruct(self.project(rows, n_components))
            errors.append(np.square(rows.numpy() - rebuilt).sum(axis=1))
        return float(np.concatenate(errors).mean())


def principal_components(
    features: Any, n_components: int | None = None, route: Route = "auto"
) -> PrincipalComponents:
    """Directions of largest variance of a cloud, with their variances.

    Parameters
    ----------
    features : (n, D) array-like or torch tensor, n >= 2; or `Moments` of such, of which there is
        the route over the covariance alone.
    n_components : how many to keep; all by default. There are fewer where the cloud varies in
        fewer directions (duplicates, n <= D, constant features), and none in a single point.
    route : what is decomposed. ``"covariance"``, the D x D matrix X'X / (n - 1) of the centred
        rows; ``"gram"``, the n x n matrix XX' / (n - 1), whose eigenvectors u give the components
        X'u; ``"svd"``, the rows themselves; ``"auto"``, the smaller of the two matrices. The three
        agree up to rounding: of the first two that of the largest eigenvalue, so the SVD is the
        most exact on the smallest. Among equal eigenvalues any orthonormal basis is right.

    Returns
    -------
    `PrincipalComponents`, float64. Eigenvalues below max(n, D) * 2e-16 of the largest are
    rounding and give no component.

    Raises
    ------
    ValueError with fewer than two rows, `n_components` below 1, or another route.

    References
    ----------
    Pearson (1901), On lines and planes of closest fit; Sirovich, Kirby (1987), Low-dimensional
    procedure for the characterization of human faces (the route over the Gram matrix).

    Examples
    --------
    >>> pca = principal_components([[2.0, 0, 5], [-2, 0, 5], [0, 1, 5], [0, -1, 5]])
    >>> pca.components.round(6).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    >>> pca.explained_variance_ratio.round(6).tolist()
    [0.8, 0.2]
    """
    if route not in get_args(Route):
        raise ValueError(f"route must be one of {', '.join(get_args(Route))}; got {route!r}")
    if n_components is not None:
        as_count(n_components, "n_components")
    if isinstance(features, Moments):
        if route not in ("auto", "covariance"):
            raise ValueError(f"route must be auto or covariance of moments; got {route!r}")
        values = torch.from_numpy(spectrum(features))
        mean, n_samples = torch.from_numpy(features.mean), features.n
        directions = basis_of_scatter(
            features.scatter, n_samples, features.mean, True, n_components
        )
        directions = directions[: int(torch.count_nonzero(values))]
    else:
        points = torch.from_numpy(as_cloud(features, min_samples=2))
        mean, n_samples = points.mean(0), len(points)
        values, directions = _of_rows(points, points - mean, n_components, route)
    largest = directions.abs().argmax(dim=1, keepdim=True)  # an eigenvector's sign is arbitrary
    directions = directions * directions.gather(1, largest).sign()
    return PrincipalComponents(
        mean.numpy(), directions.contiguous().numpy(), values.numpy(), n_samples
    )


def _of_rows(
    points: torch.Tensor, centred: torch.Tensor, n_components: int | None, route: Route
) -> tuple[torch.Tensor, torch.Tensor]:
    """All eigenvalues, and the components in rows."""
    chosen = smaller_route(points) if route == "auto" else route
    if chosen == "svd":
        _, singular, directions = torch.linalg.svd(centred, full_matrices=False)
        values = singular.square() / (len(points) - 1)
    else:
        ascending, columns = torch.linalg.eigh(scatter(centred, chosen))
        values, directions = ascending.flip(0), columns.flip(1).T
    values = without_rounding(values, tuple(points.shape), float(points.square().sum()))
    directions = directions[: int(torch.count_nonzero(values))][:n_components]
    if chosen == "gram":
        # X'u is orthogonal only up to the rounding of the largest eigenvalue; QR makes it so
        directions = torch.linalg.qr((directions @ centred).T).Q.T
    return values, directions
