"""The life of member accounts beyond what an update can do: closing, and what comes next.

Decisions
are pure functions of `facts`; `aws` is the edge to boto3.
"""
