"""The tags of a trail that come with its create, which ministack drops.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
"""

from __future__ import annotations

import json
from typing import Any

from twokeys.sandbox.local_server.inside import cloudtrail as base
from twokeys.sandbox.local_server.supplement import Answer, marked


def install() -> None:
    """Come after ministack's own create."""
    create = base.DISPATCH["CreateTrail"]

    def tagged(body: dict[str, Any]) -> Answer:
        answer: Answer = create(body)
        if answer[0] == 200 and body.get("TagsList"):
            base.add_tags({"ResourceId": json.loads(answer[2])["TrailARN"], "TagsList": body["TagsList"]})
        return answer

    base.DISPATCH["CreateTrail"] = marked("CreateTrail", tagged)
