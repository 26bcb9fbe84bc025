"""Land-cover segmentation: U-Net and DeepLab models trained and compared honestly."""
