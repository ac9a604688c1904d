"""Subjects of an identity provider in config: whom a token of it may be about.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html
"""

import pytest

from tests.test_settings import MANAGEMENT, changed, refused
from twokeys.settings import parse

GITHUB = "token.actions.githubusercontent.com"


def with_oidc(issuer: str, *subjects: str, **more: str) -> dict[str, object]:
    return changed(MANAGEMENT, "people.roles.ci.oidc", {"issuer": issuer, "subjects": list(subjects), **more})


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        (GITHUB, "repo:*"),
        (GITHUB, "*"),
        (GITHUB, "**"),
        (GITHUB, "?*"),
        (GITHUB, "repo:acme*"),
        ("gitlab.com", "project_path:*"),
        ("app.terraform.io", "organization:*"),
        ("idp.example.com", "*"),
    ],
)
def test_a_subject_that_names_no_owner_is_refused(issuer: str, subject: str) -> None:
    refusal = refused(with_oidc(issuer, "repo:acme/app:*", subject), "management")
    assert "oidc" in str(refusal)
    assert repr(subject)[1:-1] in str(refusal)


@pytest.mark.parametrize(
    ("issuer", "subject"),
    [
        (GITHUB, "repo:acme/*"),
        (GITHUB, "repo:acme/app:ref:refs/heads/main"),
        (GITHUB, "repo:acme/app:ref:*"),
        (GITHUB, "repo:acme/*:ref:refs/tags/v*"),
        (GITHUB, "repo:acme/app:environment:prod"),
        (GITHUB, "repo:acme/app:pull_request"),
        (GITHUB, "repo:acme/app"),
        ("gitlab.acme.com", "project_path:acme/app:ref_type:branch:ref:main"),
        (f"{GITHUB}/acme-enterprise", "repo:acme/app:ref:refs/heads/main"),
        ("gitlab.com", "project_path:acme/app:ref_type:branch:ref:main"),
        ("oidc.eks.eu-central-1.amazonaws.com/id/ABC", "system:serviceaccount:ci:*"),
        ("idp.example.com", "user-*"),
        ("oidc.demo.com", "deployment:acme/*"),  # and no slip of oidc.deno.com
        ("oidc.model.com", "workspace:acme"),  # nor of oidc.modal.com
        ("identity.depop.dev", "team:acme"),
    ],
)
def test_a_subject_of_ones_own_is_accepted(issuer: str, subject: str) -> None:
    assert parse("management", with_oidc(issuer, subject)).people.roles["ci"].oidc


@pytest.mark.parametrize(
    ("issuer", "subject", "meant"),
    [
        (GITHUB, "repo:acme/app:ref:main", "it as in repo:acme/app:ref:refs/heads/main"),
        ("token.action.githubusercontent.com", "repo:acme/app:*", GITHUB),
        ("token.actions.githubusercontent.co", "repo:acme/app:*", GITHUB),
        ("gitlap.com", "project_path:acme/app:ref_type:branch:ref:main", "gitlab.com"),
        ("app.terrraform.io", "organization:acme:project:app:workspace:prod:run_phase:apply", "app.terraform.io"),
        ("api.pulumi.com/oicd", "pulumi:deploy:org:acme:*", "api.pulumi.com/oidc"),
    ],
)
def test_what_no_token_has_is_refused_with_what_is_meant(issuer: str, subject: str, meant: str) -> None:
    """Subjects: https://docs.github.com/en/actions/reference/security/oidc"""
    assert f"write {meant}" in str(refused(with_oidc(issuer, subject), "management"))


def test_where_the_audience_names_the_owner_it_must_be_given() -> None:
    assert "audience" in str(refused(with_oidc("api.pulumi.com/oidc", "pulumi:deploy:org:acme:*"), "management"))
    assert parse("management", with_oidc("api.pulumi.com/oidc", "pulumi:deploy:org:acme:*", audience="acme"))
