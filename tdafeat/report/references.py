"""Publications behind the metrics: what their records call them by, and the full reference."""

from __future__ import annotations

import re
from collections.abc import Iterable

REFERENCES = {
    "Papyan et al. 2020": "V. Papyan, X. Y. Han and D. L. Donoho (2020), Prevalence of neural "
    "collapse during the terminal phase of deep learning training, PNAS 117(40), 24652-24663.",
    "Galanti, Gyorgy and Hutter 2022": "T. Galanti, A. György and M. Hutter (2022), On the role of "
    "neural collapse in transfer learning, ICLR.",
    "Radovanovic, Nanopoulos and Ivanovic 2010": "M. Radovanović, A. Nanopoulos and M. Ivanović "
    "(2010), Hubs in space: popular nearest neighbors in high-dimensional data, JMLR 11, "
    "2487-2531.",
    "Facco, d'Errico, Rodriguez and Laio 2017": "E. Facco, M. d'Errico, A. Rodriguez and A. Laio "
    "(2017), Estimating the intrinsic dimension of datasets by a minimal neighborhood "
    "information, Scientific Reports 7, 12140.",
    "Levina and Bickel 2004, averaged as MacKay and Ghahramani 2005": "E. Levina and P. J. Bickel "
    "(2004), Maximum likelihood estimation of intrinsic dimension, NIPS 17; averaged as in "
    "D. J. C. MacKay and Z. Ghahramani (2005), Comments on “Maximum likelihood estimation of "
    "intrinsic dimension”.",
    "Sablayrolles et al. 2019": "A. Sablayrolles, M. Douze, C. Schmid and H. Jégou (2019), "
    "Spreading vectors for similarity search, ICLR.",
    "Wang & Isola 2020": "T. Wang and P. Isola (2020), Understanding contrastive representation "
    "learning through alignment and uniformity on the hypersphere, ICML.",
    "Ethayarajh 2019": "K. Ethayarajh (2019), How contextual are contextualized word "
    "representations?, EMNLP-IJCNLP.",
    "Clark & Evans 1954": "P. J. Clark and F. C. Evans (1954), Distance to nearest neighbor as a "
    "measure of spatial relationships in populations, Ecology 35(4), 445-453.",
    "Kornblith et al. 2019; debiased as Nguyen, Raghu and Kornblith 2021": "S. Kornblith, "
    "M. Norouzi, H. Lee and G. Hinton (2019), Similarity of neural network representations "
    "revisited, ICML; debiased as in T. Nguyen, M. Raghu and S. Kornblith (2021), Do wide and deep "
    "networks learn the same things?, ICLR.",
    "Gower 1975": "J. C. Gower (1975), Generalized Procrustes analysis, Psychometrika 40, 33-51.",
    "Kriegeskorte, Mur and Bandettini 2008": "N. Kriegeskorte, M. Mur and P. Bandettini (2008), "
    "Representational similarity analysis, Frontiers in Systems Neuroscience 2, 4.",
    "Huh, Cheung, Wang and Isola 2024": "M. Huh, B. Cheung, T. Wang and P. Isola (2024), The "
    "Platonic representation hypothesis, ICML.",
    "Barannikov et al. 2022, Representation topology divergence": "S. Barannikov, I. Trofimov, "
    "N. Balabin and E. Burnaev (2022), Representation topology divergence: a method for comparing "
    "neural network representations, ICML.",
    "Brier 1950": "G. W. Brier (1950), Verification of forecasts expressed in terms of "
    "probability, Monthly Weather Review 78(1), 1-3.",
    "Good 1952": "I. J. Good (1952), Rational decisions, Journal of the Royal Statistical Society, "
    "Series B 14(1), 107-114.",
    "Guo et al. 2017": "C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), On calibration of "
    "modern neural networks, ICML.",
    "Garrido et al. 2023": "Q. Garrido, R. Balestriero, L. Najman and Y. LeCun (2023), RankMe: "
    "assessing the downstream performance of pretrained self-supervised representations by their "
    "rank, ICML.",
    "Gao et al. 2017": "P. Gao, E. Trautmann, B. Yu, G. Santhanam, S. Ryu, K. Shenoy and "
    "S. Ganguli (2017), A theory of multineuronal dimensionality, dynamics and measurement, "
    "bioRxiv 214262.",
    "Roy & Vetterli 2007": "O. Roy and M. Vetterli (2007), The effective rank: a measure of "
    "effective dimensionality, EUSIPCO.",
    "Rudelson & Vershynin 2007": "M. Rudelson and R. Vershynin (2007), Sampling from large "
    "matrices: an approach through geometric functional analysis, Journal of the ACM 54(4), 21.",
    "Jolliffe 2002": "I. T. Jolliffe (2002), Principal Component Analysis, second edition, "
    "Springer.",
    "Golub & Van Loan 2013": "G. H. Golub and C. F. Van Loan (2013), Matrix Computations, fourth "
    "edition, Johns Hopkins University Press.",
    "after Jing et al. 2022": "L. Jing, P. Vincent, Y. LeCun and Y. Tian (2022), Understanding "
    "dimensional collapse in contrastive self-supervised learning, ICLR.",
    "Agrawal et al. 2022": "K. K. Agrawal, A. K. Mondal, A. Ghosh and B. Richards (2022), "
    "alpha-ReQ: assessing representation quality in self-supervised learning by measuring "
    "eigenspectrum decay, NeurIPS.",
    "Bjorck & Golub 1973": "Å. Björck and G. H. Golub (1973), Numerical methods for computing "
    "angles between linear subspaces, Mathematics of Computation 27(123), 579-594.",
    "Ye & Lim 2016": "K. Ye and L.-H. Lim (2016), Schubert varieties and distances between "
    "subspaces of different dimensions, SIAM Journal on Matrix Analysis and Applications 37(3), "
    "1176-1197.",
    "Edelsbrunner and Harer (2010), Computational Topology": "H. Edelsbrunner and J. Harer (2010), "
    "Computational Topology: An Introduction, American Mathematical Society.",
    "Cohen-Steiner, Edelsbrunner and Harer (2007), Stability of persistence diagrams": "D. "
    "Cohen-Steiner, H. Edelsbrunner and J. Harer (2007), Stability of persistence diagrams, "
    "Discrete & Computational Geometry 37(1), 103-120.",
    "Cohen-Steiner, Edelsbrunner, Harer and Mileyko (2010), Lipschitz functions have L_p-stable "
    "persistence": "D. Cohen-Steiner, H. Edelsbrunner, J. Harer and Y. Mileyko (2010), Lipschitz "
    "functions have Lp-stable persistence, Foundations of Computational Mathematics 10(2), "
    "127-139.",
    "Atienza, Gonzalez-Diaz and Rucco (2019), Persistent entropy for separating topological "
    "features from noise in Vietoris-Rips complexes": "N. Atienza, R. Gonzalez-Diaz and M. Rucco "
    "(2019), Persistent entropy for separating topological features from noise in Vietoris-Rips "
    "complexes, Journal of Intelligent Information Systems 52(3), 637-655.",
    "top-1, Wilson 1927 interval": "E. B. Wilson (1927), Probable inference, the law of "
    "succession, and statistical inference, Journal of the American Statistical Association "
    "22(158), 209-212.",
    "Rousseeuw 1987": "P. J. Rousseeuw (1987), Silhouettes: a graphical aid to the interpretation "
    "and validation of cluster analysis, Journal of Computational and Applied Mathematics 20, "
    "53-65.",
    "Davies & Bouldin 1979": "D. L. Davies and D. W. Bouldin (1979), A cluster separation measure, "
    "IEEE Transactions on Pattern Analysis and Machine Intelligence 1(2), 224-227.",
    "Calinski & Harabasz 1974": "T. Caliński and J. Harabasz (1974), A dendrite method for cluster "
    "analysis, Communications in Statistics 3(1), 1-27.",
    "Manning et al. 2008": "C. D. Manning, P. Raghavan and H. Schütze (2008), Introduction to "
    "Information Retrieval, Cambridge University Press.",
}


REFERENCES["top-5, Wilson 1927 interval"] = REFERENCES["top-1, Wilson 1927 interval"]


def reference(source: str) -> str:
    """The full reference of a metric's source; the source itself where it is no known one."""
    return REFERENCES.get(source, source)


def numbered(sources: Iterable[str]) -> dict[str, int]:
    """The number of the publication of each source, from 1, in the order of their names.

    Sources may share a publication; what bears no year is none.

    Examples
    --------
    >>> numbered(["Ye & Lim 2016", "Gower 1975", "Ye & Lim 2016", "trace of the covariance"])
    {'Gower 1975': 1, 'Ye & Lim 2016': 2}
    >>> numbered(["top-1, Wilson 1927 interval", "top-5, Wilson 1927 interval"])
    {'top-1, Wilson 1927 interval': 1, 'top-5, Wilson 1927 interval': 1}
    """
    dated = {source for source in sources if re.search(r"\b(1[89]|20)\d\d\b", source)}
    known = sorted(dated, key=lambda source: (_by_name(source), source))
    places = {text: k for k, text in enumerate(dict.fromkeys(map(reference, known)), start=1)}
    return {source: places[reference(source)] for source in known}


def _by_name(source: str) -> str:
    """First author's name, as references are ordered: initials do not count."""
    words = reference(source).split()
    return " ".join(word for word in words if not word.endswith(".") or len(word) > 3)
