"""Outputs of a selection: list of tiles, pseudo-labels, outlines, and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from agri_core.files.csvfile import csv_text
from agri_core.files.errors import InputError
from agri_core.vector.writer import Part
from agri_data.store.store import ChipStore

from agri_cluster.data.ground import find_rows, outlines
from agri_cluster.data.tiles import Ints
from agri_cluster.selection.choice import Chosen
from agri_cluster.selection.naming import Names, ranges

COLUMNS = ("chip_id", "cluster", "name", "confidence", "rank")


@dataclass(frozen=True, slots=True)
class Selection:
    """Chosen tiles with the names of their clusters.

    Attributes:
        table: `chip_id` and `confidence` of each tile.
        labels: the cluster of each tile, `(N,)`.
        names: of the clusters that have one.
        chosen: rows of the table, in order.
    """

    table: pd.DataFrame
    labels: Ints
    names: Names
    chosen: Chosen

    def records(self) -> list[dict[str, Any]]:
        """Return the chosen tiles in order, the keys being `COLUMNS`."""
        ids, sure = self.table["chip_id"].to_numpy(), self.table["confidence"].to_numpy()
        return [
            {
                "chip_id": ids[row],
                "cluster": int(self.labels[row]),
                "name": self.names.get(int(self.labels[row]), ""),
                "confidence": round(float(sure[row]), 6),
                "rank": int(rank),
            }
            for row, rank in zip(self.chosen.rows, self.chosen.ranks, strict=True)
        ]

    def list_text(self) -> str:
        """Return the chosen tiles as CSV, the list that `agri-data select --chosen` takes."""
        return csv_text(COLUMNS, [list(record.values()) for record in self.records()])

    def pseudo_text(self) -> str:
        """Return a label for every tile as CSV: the name of its cluster, and the confidence.

        Raises:
            InputError: a cluster with tiles has no name.
        """
        nameless = sorted(set(self.labels.tolist()) - set(self.names))
        if nameless:
            raise InputError(
                "pseudo-labels need a name for every cluster with tiles; there is none for "
                f"{ranges(nameless)}"
            )
        ids, sure = self.table["chip_id"], self.table["confidence"]
        rows = [
            [chip, self.names[int(label)], round(float(confidence), 6)]
            for chip, label, confidence in zip(ids, self.labels, sure, strict=True)
        ]
        return csv_text(["chip_id", "label", "confidence"], rows)

    def features(self, store: ChipStore) -> Part:
        """Return the outlines of the chosen tiles in degrees, but of those without a georeference.

        Raises:
            InputError: a tile is not in the store, or none has a georeference.
        """
        records = self.records()
        rows = find_rows(store, [record["chip_id"] for record in records])
        pairs = zip(outlines(store, rows), records, strict=True)
        placed = [(shape, record) for shape, record in pairs if shape is not None]
        if not placed:
            raise InputError(f"no chosen chip of {store.path} has a georeference")
        shapes = np.array([shape for shape, _ in placed], object)
        table = pd.DataFrame([record for _, record in placed])
        return Part(shapes, {name: table[name].to_numpy() for name in COLUMNS}, "tiles")

    def summary(self) -> Iterator[str]:
        """Yield the number of chosen tiles: in all, then for each name."""
        records = self.records()
        clusters = {record["cluster"] for record in records}
        yield f"{len(records)} of {len(self.labels)} tiles chosen, clusters: {len(clusters)}"
        tiles = Counter(record["name"] for record in records)
        shares = Counter(self.names.get(cluster, "") for cluster in clusters)
        for name in sorted(set(tiles) - {""}):
            yield f"  {name}: tiles {tiles[name]}, clusters {shares[name]}"
