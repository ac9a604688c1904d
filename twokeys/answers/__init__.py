"""Who can enter which account: one read model of the access graph, from which every command answers."""
