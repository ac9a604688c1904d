"""What a preview knows before anything exists: what the program says, and `UNKNOWN` for the rest.

What a state has, and the program leaves as it is there, is known as in the engine's preview.
It reads nothing of AWS and holds no credentials. As in the engine's preview, nothing comes of a resource whose provider
waits for an account that does not exist yet (https://www.pulumi.com/docs/iac/concepts/inputs-outputs/).
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, Final

from twokeys.access.model.accounts import Accounts
from twokeys.access.model.door_name import is_made_up
from twokeys.access.reading.snapshot import STACK_REFERENCE
from twokeys.iam.arn import Arn, Named, is_account_id, partition_of_region
from twokeys.pack.own_account import of_program
from twokeys.preview.policy_document import TOKEN as POLICY_DOCUMENT
from twokeys.preview.policy_document import policy_document
from twokeys.preview.run import Asked, RefusedRequestError, Run
from twokeys.preview.values import UNKNOWN_TEXT, as_given_back, has_unknown, is_same, known, on_wire, plain, unsecret
from twokeys.project.states import NOT_READ

Answer = Callable[[Mapping[str, Any]], Mapping[str, Any]]

READ_STACK: Final = ("pulumi:pulumi:readStackOutputs", "pulumi:pulumi:readStackResourceOutputs")
_CALLER: Final = "aws:index/getCallerIdentity:getCallerIdentity"
_REGION: Final = "aws:index/getRegion:getRegion"
_PARTITION: Final = "aws:index/getPartition:getPartition"
_PROVIDERS: Final[Mapping[str, tuple[Named, str]]] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": ("oidc-provider", "url"),
    "aws:iam/samlProvider:SamlProvider": ("saml-provider", "name"),
}
"""Identity providers, whose ARN follows from their account and this input:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns"""

_IN_PLACE: Final[Mapping[str, Set[str]]] = {
    "aws:organizations/organization:Organization": {"awsServiceAccessPrincipals", "enabledPolicyTypes"},
    "aws:organizations/account:Account": {"closeOnDeletion", "parentId"},
    "aws:iam/policy:Policy": {"policy"},
    "aws:iam/role:Role": {"assumeRolePolicy", "description", "maxSessionDuration", "permissionsBoundary"},
}
"""What may change beside tags, and AWS keeps what it is called: all that does not force a new resource.

https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/organizations_account and the like"""

_FILLED: Final[Mapping[str, object]] = {"path": "/", "maxSessionDuration": 3600, "featureSet": "ALL"}
"""What a provider fills in; the vendor's marks it (`__defaults`)."""


@dataclass(frozen=True)
class Unknowns:
    """Answers a preview.

    Attributes:
        stacks: outputs of other stacks, by name (`stage`) or full name (`organization/project/stage`).
        calls: answers to functions by token, which win over our own.
        account: the account that the program's own credentials would be in, where it is known.
        not_there: the names of the stacks that were asked for and are not among `stacks`.
    """

    stacks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    calls: Mapping[str, Answer] = field(default_factory=dict)
    account: str | None = None
    not_there: set[str] = field(default_factory=set)
    _known: dict[str, Arn] = field(default_factory=dict)

    def show(self, asked: Asked, run: Run) -> None:
        """Nothing is to be known of a component beside what it says itself."""

    def make(self, asked: Asked, run: Run) -> tuple[str, Mapping[str, Any]]:
        """The inputs, as far as the provider can be asked, with what the state has of it.

        Else with an ARN that follows, and the id only of what is imported.

        With the ARN of an identity provider a trust in it is a document here already. The engine's preview has no such
        ARN; the update then judges that document. Of a role nothing follows, as its trust may be known as late as that.
        """
        if not _configured(asked.provider, run):
            return asked.import_id, {}
        given_back = as_given_back(asked.inputs) if asked.type.startswith("aws:") else asked.inputs
        if (kept := self._kept(asked, given_back, run)) is None:
            return asked.import_id, {**given_back, **self._arn(asked, run)}
        return str(kept["id"]), kept

    def _kept(self, asked: Asked, given_back: Mapping[str, Any], run: Run) -> dict[str, Any] | None:
        """What the state has of a resource, with what changes in place; None where it may be made anew.

        Another provider alone makes nothing anew (`providerChanged`), but one of another region may.
        https://github.com/pulumi/pulumi/blob/v3.274.1/pkg/resource/deploy/step_generator.go
        """
        there = run.there.get(asked.urn)
        if there is None or "id" not in there.outputs:
            return None
        provider = run.there.get(there.provider or "")
        made_up = is_made_up(replace(there, autoname=run.naming(asked.type, asked.name)))
        if provider is None or provider.get("region") != run.provider_inputs(asked.provider).get("region"):
            return None
        new, old = plain(given_back), as_given_back({**(there.inputs or {})})
        filled = {key for key, one in old.items() if not one or one == _FILLED.get(key) or (key == "name" and made_up)}
        added = {"__defaults", "tagsAll", *old.get("__defaults", ()), *filled} - new.keys()
        changed = {key for key in (new.keys() | old.keys()) - added if not is_same(new.get(key), old.get(key))}
        if changed - {"tagsAll", *({"tags", *_IN_PLACE.get(asked.type, ())} & new.keys())}:
            return None
        return {**on_wire({**there.outputs, "tagsAll": None}), **given_back}

    def read(self, asked: Asked, id: str, run: Run) -> Mapping[str, Any]:  # noqa: ARG002
        """Nothing is known of an object that is only read, but the outputs of a stack that was given."""
        if asked.type != STACK_REFERENCE:
            return {}
        name = str(asked.inputs.get("name", id))
        outputs = self._outputs(name)
        return {"name": name, "outputs": UNKNOWN_TEXT if outputs is None else dict(outputs), "secretOutputNames": []}

    def invoke(self, token: str, args: Mapping[str, Any], provider: str, run: Run) -> Mapping[str, Any] | None:
        """What can be answered without asking AWS."""
        args = known(unsecret(dict(args)))
        if token in self.calls:
            return self.calls[token](args)
        if token in READ_STACK:
            outputs = self._outputs(str(args.get("name") or args.get("stackName")))
            if outputs is None:
                name = args.get("name") or args.get("stackName")
                raise RefusedRequestError(f'unknown stack "{name}": it {NOT_READ}')
            return {"name": args.get("name"), "outputs": dict(outputs), "secretOutputNames": []}
        if not _configured(provider, run):
            return None
        inputs = run.provider_inputs(provider)
        if token == POLICY_DOCUMENT:
            try:
                return policy_document(args)
            except ValueError as error:
                raise RefusedRequestError(f"{token}: a given document is no JSON: {error}") from error
        if token == _CALLER:
            return self._caller(provider, run)
        region = args.get("region") or args.get("name") or inputs.get("region") or run.config.get("aws:region")
        if token == _REGION and region:
            return {"id": region, "name": region, "region": region, "endpoint": f"ec2.{region}.amazonaws.com"}
        if token == _PARTITION and region:
            partition = partition_of_region(str(region))
            suffix = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
            reverse = ".".join(reversed(suffix.split(".")))
            return {"id": partition, "partition": partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}
        return None

    def _arn(self, asked: Asked, run: Run) -> Mapping[str, str]:
        kind, key = _PROVIDERS.get(asked.type, (None, ""))
        name = plain(asked.inputs).get(key)
        who = self._who(asked.provider, run) if kind and isinstance(name, str) else None
        if kind is None or who is None or not isinstance(name, str):
            return {}
        return {"arn": str(Arn.iam(kind, who.account, name.removeprefix("https://"), partition=who.partition))}

    def _caller(self, provider: str, run: Run) -> Mapping[str, Any] | None:
        who = self._who(provider, run)
        if who is None:
            return None
        id = f"AROAEXAMPLE:{who.session}" if who.kind == "assumed-role" else "AIDAEXAMPLE"
        return {"accountId": who.account, "id": who.account, "userId": id, "arn": str(who)}

    def _who(self, reference: str, run: Run) -> Arn | None:
        """Who the provider would be: its last role's session, else somebody of the one account that it works in.

        That somebody is a user whom no policy names, so that nothing can be proved of them. It is read once: what the
        program registers later changes nothing of it.
        """
        if (who := self._known.get(reference)) is None and (who := self._derived(reference, run)) is not None:
            self._known[reference] = who
        return who

    def _derived(self, reference: str, run: Run) -> Arn | None:
        urn, accounts = reference.rpartition("::")[0], Accounts(of_program(run.snapshot()), own_account=self.account)
        account, provider = accounts.of_provider(urn), next(one for one in accounts.entries if one.urn == urn)
        if not is_account_id(account) or (provider.assumes != () and provider.assumed_account is None):
            return None
        if provider.assumes and (role := Arn.parse(provider.assumes[-1])):
            return Arn.assumed_role(account, role.name, provider.session or "session", role.partition)
        partition = partition_of_region(str(run.provider_inputs(reference).get("region") or ""))
        return Arn.iam("user", account, "whoever-runs-this-preview", partition=partition)

    def _outputs(self, name: str) -> Mapping[str, Any] | None:
        found = self.stacks.get(name, self.stacks.get(name.rpartition("/")[2]))
        if found is None:
            self.not_there.add(name)
        return found


def _configured(provider: str, run: Run) -> bool:
    """Whether the provider's own inputs are known; a provider is judged by what it was given."""
    return not has_unknown(run.provider_inputs(provider)) if provider else True
