"""Land cover segmentation: training, evaluation and comparison of U-Net and DeepLab models."""
