"""HTML pages: Jinja2 templates, one base page and one style for every report."""
