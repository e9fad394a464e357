"""How Sphinx builds the site: python -m sphinx -W -b html docs docs/_build/html"""

import os
import sys
from pathlib import Path

os.environ["SCIPY_ARRAY_API"] = "1"  # for tensors in examples; before SciPy is imported

import sknn_basic

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "_ext"))

import public_names  # noqa: E402, which is there

project = "sknn_basic"
author = "the sknn_basic developers"
copyright = "the sknn_basic developers. BSD-3-Clause"
version = release = sknn_basic.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "matplotlib.sphinxext.plot_directive",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
    "mathml",
    "build_time",
    "public_names",
]
exclude_patterns = ["_build", "gallery", "auto_examples/**/*.md5"]
templates_path = ["_templates"]

# Pages

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
html_math_renderer = "mathml"  # which browsers draw themselves: no page loads anything from elsewhere
copybutton_exclude = ".linenos, .gp, .go"  # code without prompts and output

# Reference: a page for each public name

autosummary_generate = True
autosummary_context = {"methods_of": {name: public_names.methods(name) for name in sknn_basic.__all__}}
autodoc_typehints = "none"
numpydoc_show_class_members = False  # the template lists the methods
toc_object_entries_show_parents = "hide"
plot_include_source = True
plot_html_show_source_link = False
plot_html_show_formats = False
plot_formats = [("png", 110)]
plot_rcparams = {"figure.figsize": (7, 4), "figure.constrained_layout.use": True}
plot_apply_rcparams = True

# Gallery

sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "auto_examples",
    "filename_pattern": "plot_",
    "within_subsection_order": "lecture.Order",
    "image_scrapers": ("matplotlib",),
    "matplotlib_animations": True,
    "reset_modules": ("matplotlib", "lecture.shape_figures"),
    "image_srcset": ["2x"],
    "thumbnail_size": (480, 270),
    "capture_repr": (),
    "min_reported_time": 0,
    "write_computation_times": False,
    "show_memory": False,
    "show_signature": False,
    "remove_config_comments": True,
    "download_all_examples": False,
    "doc_module": ("sknn_basic",),
    "backreferences_dir": "generated/backreferences",
}

# Theme

html_theme = "pydata_sphinx_theme"
html_title = "sknn_basic"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_favicon = "_static/icon.svg"
html_context = {"default_mode": "auto"}
html_show_sourcelink = False
html_copy_source = False
SINGLE_PAGES = "index getting_started mathematics teachers performance results works_with inside changes"
html_sidebars = {page: [] for page in SINGLE_PAGES.split()}
html_theme_options = {
    "logo": {"text": "sknn_basic", "image_light": "_static/icon.svg", "image_dark": "_static/icon.svg"},
    "header_links_before_dropdown": 6,
    "navbar_persistent": ["search-button"],
    "navbar_end": ["theme-switcher"],
    "show_prev_next": True,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc", "sg_download_links"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
