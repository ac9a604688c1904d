"""A live organization: read with boto3, checked before the first create, and taken over into config."""
