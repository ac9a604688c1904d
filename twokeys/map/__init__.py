"""Pictures of an organization and its doors, for people who must know who can enter which account."""
