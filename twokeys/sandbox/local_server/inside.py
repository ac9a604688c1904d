"""What is used of ministack that it does not promise: private names, and functions of its own that are replaced.

`organizations.accounts` is `ministack.services.organizations._accounts`, read and replaced in place. A ministack that
lacks one of these names is refused, by that name, as soon as this is imported.
"""

import importlib
from typing import Any


class Inside:
    """A module of ministack, of which these names are used, each without its leading underscore."""

    def __init__(self, module: str, names: str) -> None:
        found = importlib.import_module(f"ministack.{module}")
        known = {name.lstrip("_"): name for name in names.split()}
        if missing := [name for name in known.values() if not hasattr(found, name)]:
            raise ImportError(f"this version of ministack has no {', '.join(missing)} in ministack.{module}")
        vars(self).update(module=found, known=known)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - ministack has no types
        return getattr(self.module, self.known[name])

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.module, self.known[name], value)


account = Inside("services.account", "_DISPATCH")
app = Inside(
    "app",
    "app SERVICE_HANDLERS pin_request_origin _enforce_data_plane _handle_s3_control_request _loaded_modules _state_map",
)
cloudtrail = Inside("services.cloudtrail", "_DISPATCH _add_tags")
ec2 = Inside("services.ec2", "_ACTION_MAP _xml")
iam = Inside(
    "services.iam",
    "parse_qs _IAM_HANDLERS _access_keys _error _extract_tag_keys _extract_tags _group_inline_policies _groups"
    " _is_aws_managed_arn _login_profiles _mfa_devices _oidc_providers _p _policies _roles _saml_providers"
    " _user_inline_policies _users _virtual_mfa_xml _xml _xml_escape",
)
iam_evaluator = Inside("core.iam_evaluator", "parse_policy_document _resolve_condition_key _resource_policy")
organizations = Inside(
    "services.organizations",
    "FULL_ACCESS_POLICY_ID _DISPATCH _accounts _attachments _create_statuses _ensure_org"
    " _orgs _ous _policies _public_account _public_ou _roots _tags _target new_uuid",
)
sts = Inside("services.sts", "handle_request register_session _caller_identity _error _sessions")
