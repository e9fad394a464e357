"""What the package needs of scikit-learn's private names: other tests are of what they do.

Of parameters, `check_param_validation` among scikit-learn's own checks; of weights, those of `fit`.
"""

import ast
from pathlib import Path

from sknn_basic import _sklearn


def test_every_name_is_taken():
    """By other modules, or by a function of this one."""
    taken = set()
    for path in Path(_sklearn.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "_sklearn" and node.level:
                taken |= {alias.name for alias in node.names}
    own = ast.parse(Path(_sklearn.__file__).read_text(encoding="utf-8"))
    used = {
        node.id for node in ast.walk(own) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    names = {name for name in vars(_sklearn) if not name.startswith("__")}
    assert taken <= names <= taken | used
