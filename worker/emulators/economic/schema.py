"""The emulator's tables.

Amounts are whole hundredths. Invoices are kept narrow, with their rendered texts in a table beside them, so that
counting, sorting and totals over hundreds of thousands of rows touch little memory. `doc` columns hold rendered
JSON (see wire.py); it stays valid JSON, so rarely used filter fields are read out of it by json_extract.
"""

_HEADER = """
    number INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    date TEXT NOT NULL,
    due TEXT,
    currency TEXT NOT NULL,
    rate REAL NOT NULL,
    terms INTEGER,
    employee INTEGER,
    net INTEGER NOT NULL,
    gross INTEGER NOT NULL,
    remainder INTEGER NOT NULL,
    remainder_base INTEGER NOT NULL,
    last_updated TEXT
"""
_DOCS = "number INTEGER PRIMARY KEY, doc TEXT NOT NULL, lines TEXT NOT NULL"

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS customers (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    last_updated TEXT NOT NULL,
    barred INTEGER NOT NULL,
    customer_group INTEGER,
    balance INTEGER NOT NULL DEFAULT 0,
    due INTEGER NOT NULL DEFAULT 0,
    opening_balance INTEGER NOT NULL DEFAULT 0,
    opening_due INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1,
    cut INTEGER NOT NULL,
    doc TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS customers_updated ON customers (last_updated);
CREATE TABLE IF NOT EXISTS contacts (
    number INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    sort_key INTEGER NOT NULL,
    name TEXT NOT NULL,
    email TEXT, phone TEXT, notes TEXT, e_invoice_id TEXT, notifications TEXT,
    last_updated TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE INDEX IF NOT EXISTS contacts_customer ON contacts (customer);
CREATE INDEX IF NOT EXISTS contacts_updated ON contacts (last_updated);
CREATE TABLE IF NOT EXISTS delivery_locations (
    number INTEGER PRIMARY KEY,
    customer INTEGER NOT NULL,
    sort_key INTEGER NOT NULL,
    address TEXT, city TEXT, country TEXT, postal_code TEXT, terms TEXT,
    barred INTEGER NOT NULL DEFAULT 0,
    last_updated TEXT NOT NULL,
    version INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS invoices ({_HEADER});
CREATE INDEX IF NOT EXISTS invoices_number ON invoices (number);
CREATE INDEX IF NOT EXISTS invoices_customer ON invoices (customer, due, remainder_base);
CREATE INDEX IF NOT EXISTS invoices_date ON invoices (date);
CREATE INDEX IF NOT EXISTS invoices_open ON invoices (number) WHERE remainder <> 0;
CREATE TABLE IF NOT EXISTS invoices_docs ({_DOCS});
CREATE TABLE IF NOT EXISTS drafts ({_HEADER});
CREATE INDEX IF NOT EXISTS drafts_customer ON drafts (customer);
CREATE TABLE IF NOT EXISTS drafts_docs ({_DOCS});
CREATE TABLE IF NOT EXISTS refs (
    kind TEXT NOT NULL, key TEXT NOT NULL, number INTEGER, name TEXT, barred INTEGER NOT NULL DEFAULT 0,
    doc TEXT NOT NULL,
    PRIMARY KEY (kind, key)
);
CREATE TABLE IF NOT EXISTS years (
    year TEXT PRIMARY KEY, from_date TEXT NOT NULL, to_date TEXT NOT NULL, closed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS periods (
    number INTEGER PRIMARY KEY, year TEXT NOT NULL,
    from_date TEXT NOT NULL, to_date TEXT NOT NULL, closed INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, made REAL NOT NULL, request TEXT NOT NULL, body BLOB NOT NULL,
    status INTEGER NOT NULL, headers TEXT NOT NULL, answer BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS webhooks (
    app TEXT NOT NULL, event_type TEXT NOT NULL, version INTEGER NOT NULL DEFAULT 1, doc TEXT NOT NULL,
    PRIMARY KEY (app, event_type)
);
CREATE VIEW IF NOT EXISTS entries AS
    SELECT number * 8 + 1 AS number, 5600 AS account, 1 AS type, date, due, currency, rate, customer,
           number AS invoice, gross AS amount_base, remainder, remainder_base, number AS voucher
    FROM invoices
    UNION ALL
    SELECT number * 8 + 2, 1010, 1, date, NULL, currency, rate, NULL, number, -net, 0, 0, number FROM invoices
    UNION ALL
    SELECT number * 8 + 3, 14262, 1, date, NULL, currency, rate, NULL, number, net - gross, 0, 0, number
    FROM invoices WHERE gross <> net
    UNION ALL
    SELECT number * 8 + 4, 5600, 2, COALESCE(due, date), NULL, currency, rate, customer, number,
           remainder_base - gross, 0, 0, number + 500000
    FROM invoices WHERE remainder_base <> gross
    UNION ALL
    SELECT number * 8 + 5, 5820, 2, COALESCE(due, date), NULL, currency, rate, NULL, number,
           gross - remainder_base, 0, 0, number + 500000
    FROM invoices WHERE remainder_base <> gross;
"""  # noqa: S608  (the view names its own tables only)
