"""How Pulumi writes what JSON cannot say: secrets, outputs, and values that are not known yet.

https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
"""

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""The key of an object that is no object but one of the following."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - marks a secret, is none
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWNS = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""The texts that stand for a value that is not known yet: one for each kind of value."""
