"""Receipts in files."""

import json
import secrets
from pathlib import Path

from pydantic import ValidationError

from rag.errors import ReceiptError
from rag.receipt.form import VERSION, Receipt
from rag.store.durable import Disk

MOST_BYTES = 16_000_000
"""A file that is larger is surely something else."""


def write_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt: the file is then the old or the new, whatever happens.

    Raises `ReceiptError` where it cannot be written.
    """
    target = path.resolve()
    beside, disk = target.with_name(f".receipt-{secrets.token_hex(8)}"), Disk()
    try:
        disk.write_file(beside, receipt_bytes(receipt))
        disk.publish(beside, target)
    except OSError as error:
        raise ReceiptError(f"The receipt {path} cannot be written: {error.strerror}.") from None
    finally:
        beside.unlink(missing_ok=True)


def read_receipt(path: Path) -> Receipt:
    """Return the receipt that a file holds; raises `ReceiptError` where it holds none."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ReceiptError(f"The receipt {path} cannot be read: {error.strerror}.") from None
    if len(data) > MOST_BYTES:
        raise ReceiptError(f"{path} is no receipt: it has more than {MOST_BYTES:,} bytes.")
    return parse_receipt(data, str(path))


def receipt_bytes(receipt: Receipt) -> bytes:
    """Return a receipt as the JSON that `parse_receipt` reads.

    Raises `ReceiptError` for text that is none, as half of a surrogate pair in a history.
    """
    value = receipt.model_dump(mode="json")
    try:
        return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
    except UnicodeEncodeError:
        said = (
            "The receipt cannot be written: it holds half of a surrogate pair, which is no character."
        )
        raise ReceiptError(said) from None


def parse_receipt(data: bytes, where: str) -> Receipt:
    """Return the receipt that `data` is, so that writing it again gives an equal one.

    Raises `ReceiptError` for anything else, and for a version that this program does not know.
    """
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise ReceiptError(f"{where} is no receipt: it is not JSON, or was cut short.") from None
    version = value.get("receipt") if isinstance(value, dict) else None
    if type(version) is not int:
        raise ReceiptError(f"{where} is no receipt; `rag ask QUESTION --receipt FILE` writes one.")
    if version != VERSION:
        raise ReceiptError(
            f"{where} is a receipt of version {version}, and this program reads version {VERSION}; "
            "replay it with the seedrag that wrote it."
        )
    try:
        return Receipt.model_validate_json(json.dumps(value))
    except (ValidationError, RecursionError) as error:
        raise ReceiptError(f"{where} is no whole receipt: {_first(error)}.") from None


def _first(error: ValidationError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is too deep"
    found = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, found['loc']))}: {found['msg']}"
