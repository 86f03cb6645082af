"""A real, small PDF of an invoice: one page of text, written by hand because nothing more is needed."""

from sqlite3 import Row

from worker.emulators.economic.wire import amount, loads


def invoice_pdf(row: Row) -> bytes:
    """PDF bytes of an invoice row (with `doc`); readers open it."""
    document = loads(row["doc"])
    title = "Invoice" if "bookedInvoiceNumber" in document else "Draft invoice"
    shown = [
        f"{title} {row['number']}",
        f"Date {row['date']}",
        str(document.get("recipient", {}).get("name", "")),
        f"Total {amount(row['gross'])} in base currency",
    ]
    text = " ".join(f"({_escaped(line)}) Tj T*" for line in shown)
    content = b"BT /F1 14 Tf 18 TL 60 780 Td " + text.encode("latin-1", "replace") + b" ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    return _assembled(objects)


def _assembled(objects: list[bytes]) -> bytes:
    body = b"%PDF-1.4\n"
    places = []
    for number, each in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")
