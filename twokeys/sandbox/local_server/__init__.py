"""The process behind `twokeys.sandbox.local_aws`: ministack with what AWS does and ministack lacks.

`organizations`, `account`, `iam` and the others add missing operations to ministack's own dispatch tables, so that they
are authorized like every other request and every client sees them.
"""
