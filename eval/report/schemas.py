"""The JSON Schemas that stand beside reports and gold; `python -m eval.report.schemas` renews them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from eval.gold import gold_schema
from eval.report.comparison_shape import comparison_schema
from eval.report.shape import report_schema

HERE = Path(__file__).parent

SCHEMAS: Mapping[Path, Callable[[], dict[str, Any]]] = {
    HERE / "report.schema.json": report_schema,
    HERE / "comparison.schema.json": comparison_schema,
    HERE.parent / "gold" / "gold.schema.json": gold_schema,
}


def text_of(schema: Mapping[str, Any]) -> str:
    """Return a schema as its file holds it."""
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    for path, schema in SCHEMAS.items():
        path.write_text(text_of(schema()), encoding="utf-8")
