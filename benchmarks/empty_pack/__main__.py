"""A pack that checks nothing: what the engine and the SDK cost by themselves."""

from pulumi_policy import PolicyPack, ResourceValidationPolicy, StackValidationPolicy

if __name__ == "__main__":
    PolicyPack(
        "empty",
        [
            ResourceValidationPolicy("resource", "Checks nothing.", lambda _args, _report: None),
            StackValidationPolicy("stack", "Checks nothing.", lambda _args, _report: None),
        ],
    )
