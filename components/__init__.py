"""Pulumi components of a multi-account organization; nothing here decides who may enter."""
