"""The life of member accounts beyond what an update can do: new addresses, closing, and what comes next.

What an update would answer with a replacement, or could lose, is done here by the calls that AWS has for it. Decisions
are pure functions of `facts`; `aws` is the edge to boto3.
"""
