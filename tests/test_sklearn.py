"""What the package needs of scikit-learn's private names: other tests are of what they do.

Of parameters, `check_param_validation` among scikit-learn's own checks; of weights, those of `fit`.
"""

from sknn_basic import _sklearn


def test_all_lists_what_the_module_offers():
    offered = {name for name in vars(_sklearn) if not name.startswith("_")}
    assert sorted(offered) == sorted(_sklearn.__all__)
