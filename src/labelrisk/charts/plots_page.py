"""The page of `dvc plots show` as one file that loads nothing, so that it can be moved and mailed."""

from __future__ import annotations

import re

from labelrisk.errors import LabelRiskError

# A plot that a revision or a study lacks has an empty spec; those of a study in a folder are told apart by its name.
SNIPPET = """
window.vegaEmbed = (at, spec) => {
  const place = document.querySelector(at);
  if (!Object.keys(spec).length) return place.remove();
  const [folder, name] = at.slice(1).split("_plots_");
  if (name) {
    const told = document.createElement("p");
    told.textContent = folder;
    place.before(told);
  }
  return vegaEmbed(at, spec);
};
"""
PLACE = re.compile(r'<script id="vega">.*?</script>', re.DOTALL)


def page_with_script(template: str) -> str:
    """The template of the page with Vega-Embed inside, in place of its element `<script id="vega">`.

    Raises LabelRiskError where it has no such element.
    """
    import vl_convert

    if not PLACE.search(template):
        raise LabelRiskError('.dvc/plots/page.html has no <script id="vega">, where the script of the pictures goes')
    script = vl_convert.javascript_bundle(SNIPPET).replace("</script", "<\\/script")
    return PLACE.sub(lambda _: f"<script>(function () {{{script}}})();</script>", template)
