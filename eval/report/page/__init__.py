"""A report as one page that reaches for nothing: styles, script and data are in it.

The policy in its head admits that one style and that one script by their hashes, and no request. What
documents and questions say is escaped by the template or set as text by the script, never as markup.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from eval.report import shown
from eval.report.canonical import escaped
from eval.report.page import charts
from eval.report.page.data import page_data
from eval.report.shown import Json

HERE = Path(__file__).parent
_SCRIPTS = ("dom", "theme", "filter", "context", "detail", "rows", "main")
"""In the order in which they build on one another."""
_STYLES = ("page", "parts", "items")


def page(report: Json, timings: Json, comparison: Json | None, texts: Mapping[str, str]) -> bytes:
    """Return the page, in UTF-8."""
    style = _joined("css", _STYLES)
    script = "'use strict';\n" + _joined("js", _SCRIPTS)
    html = (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            timings=timings,
            comparison=comparison,
            tags=sorted({tag for item in report["items"] for tag in item["tags"]}),
            style=Markup(style),
            script=Markup(script),
            policy=_policy(style, script),
            data=Markup(_embedded(page_data(report, timings, comparison, texts))),
        )
    )
    return html.encode("utf-8", "replace")


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(charts=charts, shown=shown)
    environment.filters.update(
        number=shown.number, signed=shown.signed, p=shown.p_value, address=_address
    )
    return environment


def _address(text: str) -> str:
    """Return a text as it stands after the `#` of a link."""
    return quote(text, safe="", errors="replace")


def _joined(kind: str, names: tuple[str, ...]) -> str:
    return "\n".join((HERE / f"{name}.{kind}").read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    admitted = f"script-src {_source(script)}; style-src {_source(style)}"
    return f"default-src 'none'; {admitted}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(value: object) -> str:
    """Return JSON that cannot end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return escaped(text.replace("<", "\\u003c").replace(">", "\\u003e"))
