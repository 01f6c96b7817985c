"""Mail (EML with the standard library, MSG with python-oxmsg; MIT) and rich text (striprtf; BSD)."""

import email
import email.policy
from collections.abc import Iterator, Mapping, Sequence
from email.header import decode_header, make_header
from email.message import EmailMessage
from io import BytesIO
from typing import Any

from oxmsg import Message as OutlookMessage
from selectolax.lexbor import LexborHTMLParser
from striprtf.striprtf import rtf_to_text

from rag.corpus.decode import decode
from rag.corpus.formats.html import write_html
from rag.corpus.formats.written import Written
from rag.corpus.readers import File, named
from rag.corpus.values import Unreadable
from rag.types import Document


def read_eml(file: File) -> Iterator[Document]:
    """Read a message: its subject, who wrote to whom and when, its text, what hangs on it."""
    message = email.message_from_bytes(file.data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    if not message.keys():
        raise Unreadable("it is no message")
    try:
        heads = {name: str(message.get(name) or "") for name in ("From", "To", "Cc", "Date")}
        parts = [part for part in message.walk() if not part.is_multipart()]
        names = [part.get_filename() or "" for part in parts]
        said = {kind: _texts(parts, kind) for kind in ("plain", "html")}
    except (LookupError, ValueError, KeyError, AttributeError) as error:
        raise Unreadable(f"it is no message that we understand: {error}") from None
    is_html = not said["plain"].strip()
    text = said["html"] if is_html else said["plain"]
    yield _message(file, str(message.get("Subject") or ""), heads, text, is_html, names)


def read_msg(file: File) -> Iterator[Document]:
    """Read a message of Outlook as `read_eml` does."""
    try:
        message = OutlookMessage.load(BytesIO(file.data))
        to = (_named(each.name, each.email_address) for each in message.recipients)
        heads = {
            "From": str(make_header(decode_header(message.sender or ""))),
            "To": ", ".join(each for each in to if each),
            "Date": str(message.sent_date or ""),
        }
        said, is_html = message.body or "", False
        if not said.strip():
            said, is_html = message.html_body or "", True
        names = [each.file_name or "" for each in message.attachments]
        subject = message.subject or ""
    except (OSError, KeyError, ValueError, AttributeError, TypeError, IndexError) as error:
        raise Unreadable(f"it is no message that we understand: {error}") from None
    yield _message(file, subject, heads, said, is_html, names)


def read_rtf(file: File) -> Iterator[Document]:
    """Read rich text, a paragraph a line."""
    try:
        said = str(rtf_to_text(file.data.decode("latin-1"), errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, KeyError, LookupError, TypeError) as error:
        raise Unreadable(f"it is no rich text that we understand: {error}") from None
    written = Written()
    for line in said.split("\n"):
        written.paragraph(line.strip("| \t"))
    yield written.document(file.id, named(file))


def _texts(parts: Sequence[Any], kind: str) -> str:
    """Return the texts of a kind that stand in a message and do not hang on it."""
    found = []
    for part in parts:
        if part.get_content_type() != f"text/{kind}" or part.get_filename():
            continue
        try:
            found.append(str(part.get_content()))
        except LookupError:  # an encoding that Python does not know
            found.append(decode(part.get_payload(decode=True) or b"")[0])
    return "\n\n".join(found)


def _named(name: str, address: str) -> str:
    return f"{name} <{address}>" if name and address and name != address else name or address


def _message(
    file: File,
    subject: str,
    heads: Mapping[str, str],
    said: str,
    is_html: bool,
    names: list[str],
) -> Document:
    written = Written()
    written.heading(1, subject)
    for name, value in heads.items():
        if value:
            written.paragraph(f"{name}: {value}")
    if is_html:
        body = LexborHTMLParser(said).body
        if body is not None:
            write_html(body, written)
    else:
        for paragraph in said.replace("\r\n", "\n").split("\n\n"):
            written.paragraph(paragraph)
    if kept := [name for name in names if name]:
        written.paragraph(f"Attachments: {', '.join(kept)}")
    return written.document(file.id, subject or named(file))
