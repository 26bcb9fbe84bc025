"""The layout of a synthetic landscape: parcels, roads, villages, water, cover."""
