"""The network's weights: pretrained, frozen, averaged."""
