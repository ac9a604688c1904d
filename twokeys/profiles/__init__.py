"""Ways in for people: AWS CLI profiles, or a page of switch-role links, for exactly the doors they have."""
