"""Annotation files of every VIA version and COCO: read, written, converted."""
