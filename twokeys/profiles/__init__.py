"""Ways in for people: AWS CLI profiles for exactly the doors they have."""
