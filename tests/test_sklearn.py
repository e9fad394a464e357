"""What the package needs of scikit-learn's private names: other tests are of what they do.

Of parameters, `check_param_validation` among scikit-learn's own checks; of weights, those of `fit`.
"""

import ast
from pathlib import Path

from sknn_basic import _sklearn


def test_all_lists_what_other_modules_take():
    """Every name, sorted, and no other."""
    taken = set()
    for path in Path(_sklearn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "_sklearn" and node.level:
                taken |= {alias.name for alias in node.names}
    assert sorted(taken) == sorted(_sklearn.__all__)
