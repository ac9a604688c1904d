"""The process behind `twokeys.sandbox.local_aws`: ministack with what AWS does and ministack lacks, kept durably.

`durable` keeps every acknowledged change on disk; `organizations`, `account` and `iam` add missing operations to
ministack's own dispatch tables, so that they are authorized like every other request and every client sees them.
"""
