#!/usr/bin/env bash
# In a notebook, scikit-learn links each parameter to the line of the reference that describes it, by a text fragment
# (#:~:text=NAME,-TYPE). It takes the type from the first place of the docstring where "NAME : " stands, also at the end of a
# longer name: `eps` of OPTICS leads to `max_eps`, `init` of MDS to `n_init`, `knots` of SplineTransformer to `n_knots`. The
# description that is shown beside the link is the right one, since that is parsed.
# Seen with scikit-learn 1.9.1 on CPython 3.11 (decoded):
#     OPTICS #:~:text=eps,-float, default=np.inf (shown: eps: float, default=None)
#     MDS #:~:text=init,-int, default=1 (shown: init: {'random', 'classical_mds'}, default='random')
#     SplineTransformer #:~:text=knots,-int, default=5 (shown: knots: {'uniform', 'quantile'} or array-like of ...)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet "scikit-learn==1.9.1"
cat >"$work/seen.py" <<'PYTHON'
import re
from html import unescape
from urllib.parse import unquote

from sklearn.cluster import OPTICS
from sklearn.manifold import MDS
from sklearn.preprocessing import SplineTransformer

for kind, name in ((OPTICS, "eps"), (MDS, "init"), (SplineTransformer, "knots")):
    html = kind()._repr_html_()
    linked = unquote(re.search(rf"text={name},-([^\"]*)", html)[1])
    shown = unescape(re.search(rf">\s*{name}: (.*?)<br>", html)[1])
    print(f"{kind.__name__} #:~:text={name},-{linked} (shown: {name}: {shown})")
    assert linked == re.search(rf"^ *\w+_{name} : (.*)$", kind.__doc__, re.MULTILINE)[1] != shown
PYTHON
"$work/venv/bin/python" "$work/seen.py"
