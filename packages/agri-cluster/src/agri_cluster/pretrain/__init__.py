"""Pretraining of encoders: autoencoder and SimCLR."""
