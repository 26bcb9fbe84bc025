"""Batches from a chip store: reading, class weights, mixing."""
