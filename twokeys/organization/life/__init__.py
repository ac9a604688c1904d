"""The life of member accounts beyond what an update can do: closing.

What an update could lose is done here by the call that AWS has for it. Decisions are pure functions of `facts`; `aws`
is the edge to boto3.
"""
