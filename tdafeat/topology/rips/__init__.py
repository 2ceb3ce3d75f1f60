"""Exact Vietoris-Rips persistence in degrees 0 and 1, over Z/2, of dense distances.

The edges of the relative neighbourhood graph are the births (`neighbourhood`); every other edge
kills what the components of its link tell (`links`); a reduction on the births alone pairs the
two (`reduction`). The theory is that of the reduced and the distilled Vietoris-Rips complex.

References
----------
Koyama, Memoli, Robins and Turner (2023), "Faster computation of degree-1 persistent homology using
the reduced Vietoris-Rips filtration", arXiv 2307.16333. Koyama, Robins and Turner (2024), "The
distilled Vietoris-Rips filtration for persistent homology and a new memory efficient algorithm",
arXiv 2412.07805. Its peers: Bauer (2021), "Ripser"; Perez et al. (2021), "giotto-ph".
"""
