"""Sources of chips: EuroSAT, folders of image and mask pairs, whole scenes."""
