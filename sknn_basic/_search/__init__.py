"""The search over a grid of parameters.

Saved searches name the class by this path, `sknn_basic._search.VectorizedGridSearchCV`.
"""

from .search import VectorizedGridSearchCV

__all__ = ["VectorizedGridSearchCV"]
