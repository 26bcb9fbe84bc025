"""Choices by name, as types that the commands and the functions behind them share."""

from typing import Literal

Method = Literal["block", "group", "random", "kfold"]
"""What a split keeps whole."""

Near = Literal["fail", "warn", "off"]
"""What near duplicates across splits count as."""

Target = Literal["cover", "arable", "moisture"]
"""Labels of synthetic scenes: six classes, two, or arable land in moist and dry."""

BandCount = Literal[10, 13]
"""Bands of synthetic scenes: those of 10 and 20 m, or all of level 1C."""
