"""A local AWS and enough engine to preview and update this program."""
