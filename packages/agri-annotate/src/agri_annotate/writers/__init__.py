"""One writer for each family of annotation files: a project in, text and what was lost out."""
