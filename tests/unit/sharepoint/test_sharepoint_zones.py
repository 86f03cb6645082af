"""The site's time zone has an IANA name, or somebody must give it one."""

from __future__ import annotations

import pytest

from worker.errors import ConfigError
from worker.sharepoint.zones import named_zone, site_zone


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ({"Id": 3, "Information": {"Bias": -60}}, "Europe/Copenhagen"),
        ({"Id": 4, "Information": {"Bias": -60}}, "Europe/Berlin"),
        ({"Id": 999, "Information": {"Bias": -60}}, "Europe/Copenhagen"),
        ({"Id": 999, "Information": {"Bias": 0}}, "Europe/London"),
        ({"Id": 13}, "America/Los_Angeles"),
    ],
)
def test_a_zone_is_known_by_its_number_or_its_distance(answer, name):
    """The number first; the distance from UTC where Europe leaves no doubt."""
    assert site_zone(answer).key == name


def test_an_unknown_zone_must_be_set():
    """A wrong zone would move every date, so none is guessed."""
    with pytest.raises(ConfigError, match="Kathmandu") as caught:
        site_zone({"Id": 62, "Description": "(UTC+05:45) Kathmandu", "Information": {"Bias": -345}})
    assert "SHAREPOINT_TIME_ZONE" in caught.value.hint


def test_a_zone_from_the_settings_must_exist():
    """Its name is told back."""
    assert named_zone("Europe/Oslo").key == "Europe/Oslo"
    with pytest.raises(ConfigError, match="Denmark/Aarhus"):
        named_zone("Denmark/Aarhus")
