"""One bill: what accounts, services and tags cost, from Cost Explorer or from an exported report."""
