"""Items that go to the recycle bin while runs are undone, and whether something that stays belongs to one of them."""

from __future__ import annotations

from worker.domain.profile_customer import COMPANY_COLUMN
from worker.domain.values import TargetKind
from worker.ports import Site, Target

_ROWS = (TargetKind.CONTACT, TargetKind.INVOICE, TargetKind.STATISTICS)


class Bin:
    """Of one undoing; knows what is meant to go, and what did not."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._going: set[tuple[TargetKind, int]] = set()
        self._lists: dict[TargetKind, bool] = {}  # which the site has; asked for once

    def empty(self) -> None:
        """Nothing is to go."""
        self._going.clear()

    def add(self, kind: TargetKind, item_id: int) -> None:
        """It goes."""
        self._going.add((kind, item_id))

    def discard(self, kind: TargetKind, item_id: int) -> None:
        """It stays after all."""
        self._going.discard((kind, item_id))

    def is_pointed_at(self, target: Target, item_id: int) -> bool:
        """Whether a row that stays belongs to this company. From a list that is not there nothing can point to it; a
        list that can't be read raises."""
        if target.kind is not TargetKind.COMPANY:
            return False
        for kind in filter(self._is_there, _ROWS):
            rows = self._site.bind({"rows of a company": (kind, [COMPANY_COLUMN])})[kind]
            found = rows.find(COMPANY_COLUMN, [str(item_id)], [COMPANY_COLUMN])
            if any((kind, row.item_id) not in self._going for row in found):
                return True
        return False

    def _is_there(self, kind: TargetKind) -> bool:
        if kind not in self._lists:
            self._lists[kind] = self._site.has_list(kind)
        return self._lists[kind]
