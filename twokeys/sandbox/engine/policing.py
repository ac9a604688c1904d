"""The policy packs' say in a run: over each resource as it comes, and over the stack at the end."""

from __future__ import annotations

from dataclasses import replace

from twokeys.sandbox.engine.books import Books, Policies, Subject
from twokeys.sandbox.engine.control import Control
from twokeys.sandbox.engine.events import Violation
from twokeys.sandbox.engine.providers import EngineError
from twokeys.sandbox.engine.resource import Goal, Resource, provider_urn


class Policing:
    """Asks the policies and lets a mandatory violation fail the run; without policies everything passes."""

    def __init__(self, policies: Policies | None, books: Books, control: Control) -> None:
        self._policies = policies
        self._books = books
        self._control = control

    def analyze(self, new: Resource, goal: Goal, provider: Resource | None) -> Resource:
        """The resource as the policies leave it: one of them may remediate its inputs."""
        if self._policies is None:
            return new
        remediated, violations = self._policies.analyze(Subject(new, new.inputs, provider, goal))
        self._note(violations)
        if any(violation.mandatory for violation in violations) and not self._control.settings.dry_run:
            raise EngineError(f"resource {new.urn} breaks a mandatory policy")
        return new if remediated is None else replace(new, inputs=remediated)

    def check_stack(self) -> None:
        """Show the policies all that the run has settled."""
        if self._policies is None:
            return
        news = self._books.news
        subjects = (
            Subject(one, one.outputs, news.get(provider_urn(one.provider)), self._books.goals.get(one.urn))
            for one in news.values()
            if not one.external
        )
        self._note(self._policies.analyze_stack(tuple(subjects)))

    def _note(self, violations: tuple[Violation, ...]) -> None:
        for violation in violations:
            self._control.failed = self._control.failed or violation.mandatory
            self._control.report(violation)
