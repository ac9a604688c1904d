"""Enough of a Pulumi engine to preview, update and destroy this program on one machine, over Pulumi's own protocols."""
