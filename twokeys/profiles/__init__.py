"""Ways in for people: AWS CLI profiles and a page of switch-role links, for exactly the doors they have."""
