"""Seeded, realistic data: one Danish e-conomic agreement and the prospects of the CRM beside it.

`generate(size, seed, today)` gives the set as of the morning of `today`, `next_day(data, seed, day)` what happens on
a later day, `agreement(...)` other companies for tests. Equal arguments give equal data on every supported Python.
`python -m worker.emulators.dataset --size small` prints the counts of a set and the story of its next day.

What the sizes hold (these counts do not depend on the seed):

    size        customers    barred       CVR       EAN    e-mail       EUR  contacts  invoices  prospects
    empty               0         0         0         0         0         0         0         0          0
    tiny               12         1         5         3         7         1        15        60          4
    small             200        22        86        46       120        18       300     2,000         20
    typical         3,000       330     1,290       690     1,800       270     4,500    25,000        300
    large          20,000     2,200     8,600     4,600    12,000     1,800    40,000   200,000      2,000

Customers: firms, private persons, public bodies and firms abroad in five groups and seven payment terms; numbers with
gaps; CVR (some with "DK" or blanks) and EAN with valid check digits; countries and phones as people type them. In
every size but `empty`: two customers of one name, a name of exactly 255 characters, an address longer than 255,
blanks at the ends and doubled, mark-up or an apostrophe in a name, an emoji, `""` values, addresses with `\\r\\n` and
(from `small` on) bare `\\r`, e-mail cells with two addresses. All e-mail and web addresses end in `.example`, so none
can exist.

Contacts: two in five customers or more have none, none has more than five; 3 % soft-deleted, a fifth without e-mail,
two that share a mailbox, names with commas, notes with line breaks, some at barred customers.

Invoices: back to the start of the oldest accounting year, with a season, from customers who grow, stay, decline,
lapsed over a year ago, are new within five months or never bought; paid, part paid and open in every ageing bucket;
3 % credit notes, of which a third are open; every 47th dated back behind its neighbour; some without due date;
recipients as they were when the invoice was written. They are made anew at each pass, so a set stays under 150 MB.

Prospects: a fifth each with the CVR of a customer, with the name and zip of one, and with nothing but blanks.
"""

from worker.emulators.dataset.generate import generate
from worker.emulators.dataset.model import (
    SIZES,
    Counts,
    CrmEdit,
    Dataset,
    DayChanges,
    Document,
    InvoiceSeries,
    Size,
    counts_of,
)
from worker.emulators.dataset.next_day import next_day
from worker.emulators.dataset.reference_data import agreement

__all__ = [
    "SIZES",
    "Counts",
    "CrmEdit",
    "Dataset",
    "DayChanges",
    "Document",
    "InvoiceSeries",
    "Size",
    "agreement",
    "counts_of",
    "generate",
    "next_day",
]
