"""IAM policy documents and their evaluation: pure, imports nothing of ours."""
