"""What a type has is read from the SDK, whose modules import each other."""

from __future__ import annotations

import subprocess
import sys

from twokeys.sandbox.aws.schema import schema

CODE = """
from concurrent.futures import ThreadPoolExecutor
from twokeys.sandbox.aws.schema import schema

TYPES = ["aws:sns/topicSubscription:TopicSubscription", "aws:costexplorer/costAllocationTag:CostAllocationTag",
         "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "aws:s3/bucket:Bucket", "aws:kms/key:Key"] * 8
with ThreadPoolExecutor(40) as pool:
    print(all(one.computed for one in pool.map(schema, TYPES)))
"""


def test_many_threads_that_ask_at_once_get_the_whole_schema() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_the_inputs_of_a_type_are_its_own_also_where_a_property_has_its_name() -> None:
    """`aws.s3.BucketVersioningArgs` are those of a bucket's property; the resource's are `BucketVersioningInitArgs`."""
    assert schema("aws:s3/bucketVersioning:BucketVersioning").inputs["bucket"] == "str"
