"""`$batch` bodies: what both clients send, and the flat answer SharePoint gives (reference, sections 5.2 and 5.3)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from worker.emulators.sharepoint import errors
from worker.emulators.sharepoint.models import new_guid

_BOUNDARY = re.compile(r'boundary\s*=\s*(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_REQUEST_LINE = re.compile(r"^([A-Z]+) (.+?)(?: HTTP/\d\.\d)?\s*$")
_VERBS = frozenset({"GET", "POST", "PUT", "PATCH", "MERGE", "DELETE", "HEAD"})


@dataclass(frozen=True)
class Part:
    """One request of a batch; header names in lower case."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True)
class PartAnswer:
    """One answer of a batch."""

    status: int
    headers: dict[str, str]
    body: bytes = b""


def parse_batch(content_type: str, body: bytes) -> list[Part]:
    """The requests of a batch in order; ODataError 400 when it cannot be read."""
    boundary = _boundary(content_type)
    text = body.decode("utf-8", errors="surrogateescape").replace("\r\n", "\n")
    if boundary is None:
        raise errors.bad_query("The content type of a batch must be multipart/mixed with a boundary.")
    parts = _parts(text, boundary)
    if not parts:
        raise errors.bad_query("The batch has no parts that could be read.")
    return parts


def _boundary(content_type: str) -> str | None:
    match = _BOUNDARY.search(content_type)
    return (match.group(1) or match.group(2)) if match else None


def _parts(text: str, boundary: str) -> list[Part]:
    found: list[Part] = []
    pieces = re.split(rf"^--{re.escape(boundary)}(?:--)?[ \t]*$", text, flags=re.MULTILINE)
    for piece in pieces[1:]:  # what stands before the first boundary is a preamble
        head, _, rest = piece.lstrip("\n").partition("\n\n")
        kind = _headers(head).get("content-type", "")
        inner = _boundary(kind)
        if "multipart/mixed" in kind.lower() and inner:
            found.extend(_parts(rest, inner))
        elif rest.strip():
            found.append(_request(rest))
    return found


def _request(text: str) -> Part:
    """`METHOD url HTTP/1.1`, headers, blank line, body; the address may hold blanks and any letter."""
    line, _, rest = text.lstrip("\n").partition("\n")
    match = _REQUEST_LINE.match(line)
    if match is None or match.group(1) not in _VERBS:
        raise errors.bad_query(f"The batch request line '{line}' is not valid.")
    head, _, body = rest.partition("\n\n") if not rest.startswith("\n") else ("", "", rest)
    payload = body.strip("\n").encode("utf-8", errors="surrogateescape")
    return Part(match.group(1), match.group(2).strip(), _headers(head), payload)


def _headers(text: str) -> dict[str, str]:
    """Header lines with folded ones joined; a blank after the colon is not needed."""
    unfolded = re.sub(r"\n[ \t]+", " ", text)
    pairs = (line.partition(":") for line in unfolded.split("\n") if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def compose_batch(answers: Sequence[PartAnswer]) -> tuple[str, bytes]:
    """Content type and body of the answer: parts in request order, no nesting, CRLF everywhere."""
    boundary = f"batchresponse_{new_guid()}"
    chunks: list[bytes] = []
    for answer in answers:
        chunks.append(f"--{boundary}\r\n".encode())
        chunks.append(b"Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n")
        lines = [f"HTTP/1.1 {answer.status} {_reason(answer.status)}"]
        lines.extend(f"{name}: {value}" for name, value in answer.headers.items())
        chunks.append("\r\n".join(lines).encode() + b"\r\n\r\n")
        chunks.append(answer.body + b"\r\n")
    chunks.append(f"--{boundary}--\r\n".encode())
    return f"multipart/mixed; boundary={boundary}", b"".join(chunks)


def _reason(status: int) -> str:
    return "Too Many Requests" if status == 429 else HTTPStatus(status).phrase
