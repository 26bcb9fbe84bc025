"""Segmentation networks: U-Net, DeepLab and their encoders."""
