"""Going through a door now: a session of its role for one command, for a shell, or for the console."""
