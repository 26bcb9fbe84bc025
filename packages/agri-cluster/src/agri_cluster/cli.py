"""The `agri-cluster` command: cluster unlabelled tiles, review and name the clusters."""

from __future__ import annotations

import agri_core.interrupt  # noqa: F401  (before what takes long to import)
from agri_core.files.commands import CommandLine
from agri_core.files.console import run

from agri_cluster.commands.evaluate import evaluate
from agri_cluster.commands.fit import fit
from agri_cluster.commands.name import name
from agri_cluster.commands.predict import predict
from agri_cluster.commands.report import report
from agri_cluster.commands.select import select
from agri_cluster.commands.suggest_k import suggest_k

app = CommandLine(
    "agri-cluster",
    "Cluster unlabelled tiles by deep clustering, review and name the clusters, choose from them.",
)

app.command()(fit)
app.command()(evaluate)
app.command("suggest-k")(suggest_k)
app.command()(name)
app.command()(predict)
app.command()(report)
app.command()(select)


def main() -> None:
    """Run the command line."""
    run(app)
