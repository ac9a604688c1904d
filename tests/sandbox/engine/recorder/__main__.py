"""A policy pack that forbids nothing and writes down everything it is shown, one JSON object a line."""

import json
import os

from pulumi_policy import PolicyPack, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.proxy import _DictProxy, _ListProxy


def plain(value):
    if isinstance(value, _DictProxy):
        return {key: plain(inner) for key, inner in value["__target"].items()}
    if isinstance(value, _ListProxy):
        return [plain(inner) for inner in value["__target"]]
    return value


def provider(of):
    return of and {"urn": of.urn, "type": of.resource_type, "name": of.name, "props": plain(of.props)}


def options(opts):
    return {
        "protect": opts.protect,
        "ignoreChanges": list(opts.ignore_changes),
        "deleteBeforeReplace": opts.delete_before_replace,
        "additionalSecretOutputs": list(opts.additional_secret_outputs),
        "parent": opts.parent,
    }


def write(line):
    with open(os.environ["RECORD_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def record_resource(args, report_violation):  # noqa: ARG001 - the SDK's signature
    write(
        {
            "phase": "resource",
            "urn": args.urn,
            "type": args.resource_type,
            "name": args.name,
            "props": plain(args.props),
            "provider": provider(args.provider),
            "opts": options(args.opts),
        }
    )


def record_stack(args, report_violation):  # noqa: ARG001
    for one in args.resources:
        write(
            {
                "phase": "stack",
                "urn": one.urn,
                "type": one.resource_type,
                "name": one.name,
                "props": plain(one.props),
                "provider": provider(one.provider),
                "opts": options(one.opts),
                "parent": one.parent and one.parent.urn,
                "dependencies": sorted(other.urn for other in one.dependencies),
                "propertyDependencies": {
                    key: sorted(other.urn for other in others) for key, others in one.property_dependencies.items()
                },
            }
        )


PolicyPack(
    "recorder",
    [
        ResourceValidationPolicy("resource", "Write down a resource.", record_resource),
        StackValidationPolicy("stack", "Write down the stack.", record_stack),
    ],
)
