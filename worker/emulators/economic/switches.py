"""Every behaviour the reference calls unconfirmed and an emulator can show; the first value is the default."""

from worker.emulators.common.switches import Switch
from worker.emulators.economic.roles import ROLES

_YES_NO = ("yes", "no")
_NO_YES = ("no", "yes")

SWITCHES = {
    "last_updated_bumped_by_booking": Switch(
        _NO_YES, "a booking or payment moves customers.lastUpdated (sharp edges, 1)"
    ),
    "webhook_on_balance_change": Switch(_NO_YES, "a booking or payment fires CUSTOMER_UPDATED (webhooks, last point)"),
    "webhook_empty_number": Switch(
        ("", "0"), "what stands for the missing number when a customer is created or deleted (webhooks)"
    ),
    "webhook_delivery": Switch(
        ("normal", "duplicated", "burst", "out_of_order", "lost"),
        "how webhooks arrive: at once, twice, held back until flushed and then in order or reversed, never",
    ),
    "webhook_retries": Switch(("0", "1", "3"), "how often a failed webhook delivery is tried again (webhooks)"),
    "unauthorized_body": Switch(("json", "empty", "html"), "body of a 401 (authentication, headers)"),
    "retry_after": Switch(("seconds", "date", "none"), "form of Retry-After on 429 (limits)"),
    "rate_limit_body": Switch(("json", "empty"), "body of a 429 (limits)"),
    "call_cost_letter": Switch(_NO_YES, "X-CallCost is a letter instead of a number (limits)"),
    "totals_paging": Switch(_NO_YES, "grouped totals page like a collection (invoice totals)"),
    "totals_list_empty_groups": Switch(_NO_YES, "grouped totals list groups without invoices (invoice totals)"),
    "credit_note_counts_in_totals": Switch(
        ("amount_and_count", "amount_only", "neither"), "what a credit note does to totals (invoice totals)"
    ),
    "predefined_periods": Switch(_YES_NO, "totals carry predefinedPeriodFilters links (invoice totals)"),
    "idempotency_other_body": Switch(
        ("replay", "conflict", "execute"), "same Idempotency-Key with another body (Idempotency-Key)"
    ),
    "customer_number_assignment": Switch(
        ("next_free", "highest_plus_one"), "number of a customer created without one (writing customers)"
    ),
    "schema_error_body": Switch(
        ("strings", "validation"), "where the text of a schema error (null, wrong type) stands (error bodies)"
    ),
    "duplicate_number_status": Switch(("400", "409"), "answer to a customer number that is taken (error bodies)"),
    "delete_used_customer_status": Switch(
        ("400", "409"), "answer to deleting a customer that invoices refer to (error bodies)"
    ),
    "deleted_contacts_in_classic_list": Switch(
        _NO_YES, "soft-deleted contacts stand in the classic list with deleted true (sub-resources of a customer)"
    ),
    "contacts_of_deleted_customer": Switch(
        ("deleted", "kept"), "contacts of a deleted customer become deleted or stay as they are (sharp edges, 7)"
    ),
    "contact_key_name": Switch(("number", "customerContactNumber"), "key name of a contact in customersapi"),
    "missing_modules": Switch(
        ("none", "customersapi", "bookedentriesapi"),
        "the agreement lacks the module of this service: 403 (other OpenAPI services)",
    ),
    "open_contact_put_path": Switch(
        ("collection", "both"), "PUT of a contact on the collection only, or on /Contacts/{number} as well"
    ),
    "timestamp_filter_fractions": Switch(
        ("accepted", "refused"), "lastUpdated filters with milliseconds or an offset (filter grammar)"
    ),
    "open_timestamp_zone": Switch(("none", "utc"), "OpenAPI date-times without a zone or with Z (conventions)"),
    "open_write_status": Switch(("200", "204"), "status of PUT and DELETE on OpenAPI services (conventions)"),
    "cursor_stability": Switch(
        ("stable", "shifting", "refused"),
        "a cursor used after a write: goes on by key, by position, or is refused with 400 (conventions)",
    ),
    "slash_in_year_path": Switch(_NO_YES, "%2F is accepted in accounting-year paths (general rules)"),
    "lines_in_booked_list": Switch(_NO_YES, "the booked list carries lines (invoices)"),
    "entries_page_size_default": Switch(("20", "1000"), "default page size of accounting-year entries"),
    "vat_zones_filterable": Switch(_NO_YES, "vat-zones can be filtered by number and name"),
    "unmatched_credit_notes_in_unpaid": Switch(
        _YES_NO, "a credit note with an open negative remainder stands in the unpaid lists (invoices)"
    ),
    "granted_role": Switch(
        tuple(ROLES), "the only role the app was granted; what that may not use answers 403 (roles)"
    ),
    "pdf_allowed": Switch(_YES_NO, "the role may fetch PDFs; otherwise 403 (roles)"),
    "writes_allowed": Switch(_YES_NO, "the plan allows API writes; otherwise 403 (roles)"),
}
