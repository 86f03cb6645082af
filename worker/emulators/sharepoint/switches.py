"""The unconfirmed behaviours, one switch each, and the names of the faults. Sections are the reference's."""

from worker.emulators.common.switches import Switch

FAULTS = frozenset(
    {
        "429",
        "503",
        "503-no-retry-after",
        "part-429",
        "part-503",
        "500-after-commit",
        "cut",
        "html",
        "truncated-batch",
        "expired-token",
        "slow",
    }
)

SWITCHES = {
    "duplicate_key_status": Switch(("500", "400"), "status of a value refused by a unique column (6.5)"),
    "missing_if_match": Switch(("any", "strict"), "an update without IF-MATCH: as '*', or 412 (6.3)"),
    "short_etag": Switch(("accepted", "refused"), 'IF-MATCH written as "<n>" without the guid (6.3)'),
    "body_etag": Switch(("short", "long"), "etag inside bodies: only the version, or guid and version (6.3)"),
    "unique_blanks": Switch(("several", "one"), "how many items may leave a unique column blank (7)"),
    "unique_case": Switch(("insensitive", "sensitive"), "whether unique values differ by case alone (7)"),
    "choice_outside": Switch(("accepted", "refused"), "writing a choice that is not in the list (6.4)"),
    "delete": Switch(("recycle", "permanent"), "whether DELETE puts the item into the recycle bin (6.3)"),
    "read_only_field": Switch(("ignored", "accepted", "refused"), "writing a ReadOnlyField column (12)"),
    "text_too_long_status": Switch(("400", "500"), "status of a text longer than its column (6.5)"),
    "unknown_option": Switch(("400", "ignored"), "an unknown $ option in a query (14)"),
    "throttle_body": Switch(("json", "html"), "body of a 429 or 503 (3)"),
    "retry_after": Switch(("seconds", "date", "none"), "form of Retry-After on a 429 or 503 (3)"),
    "boolean_filter": Switch(("both", "number", "word"), "forms a filter accepts: 'eq 1', 'eq true' (11)"),
    "url_too_long": Switch(("refused", "accepted"), "a URL column longer than 255 characters (6.4)"),
    "naive_time": Switch(("site", "utc"), "zone of a date and time written without one (6.4)"),
    "empty_text": Switch(("null", "kept"), "what an empty string reads back as (not in the reference)"),
    "missing_lookup": Switch(("refused", "blank"), "writing a look-up id that does not exist (4.9)"),
    "number_format": Switch(("dot", "site"), "decimal sign in ValidateUpdateListItem (8)"),
    "duplicate_list_status": Switch(("500", "400"), "status of a list title that exists (6.5)"),
    "missing_view": Switch(("404", "empty"), "GetByTitle of a view that does not exist (12)"),
    "expired_change_token": Switch(("empty", "error"), "a change token older than the log (9)"),
    "provision_role": Switch(("manage", "write"), "role needed for lists, columns and views (2.1)"),
    "text_spelling": Switch(("as-sent", "rewritten"), "formatting JSON and view queries as they read back (10, 12)"),
    "cleared_formatting": Switch(("null", "empty"), "what formatting that was cleared reads back as (10)"),
    "contains_filter": Switch(("refused", "accepted"), "the function contains() in a filter (6.2)"),
}
