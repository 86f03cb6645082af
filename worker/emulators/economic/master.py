"""Master data every agreement has, whatever was loaded."""

from collections.abc import Sequence

from worker.emulators.economic.documents import Plain

CURRENCIES: Sequence[Plain] = [
    {"code": code, "name": name, "isoNumber": number}
    for code, name, number in (
        ("DKK", "Danske kroner", "208"),
        ("EUR", "Euro", "978"),
        ("SEK", "Svenske kroner", "752"),
        ("NOK", "Norske kroner", "578"),
        ("USD", "Amerikanske dollar", "840"),
        ("GBP", "Britiske pund", "826"),
        ("CHF", "Schweiziske franc", "756"),
        ("PLN", "Polske zloty", "985"),
        ("INR", "Indiske rupees", "356"),
    )
]
