"""A Pulumi program on the SDK's mock monitor; whoever runs it answers what it registers, reads and looks up.

`run` runs a program in this process. As a script this is the process that a program has for itself: it imports nothing
but the SDK, so that it works in the program's own virtual environment. Property values stay as they are on the wire,
as JSON: an unknown and a secret are what the SDK writes for them.
https://www.pulumi.com/docs/iac/guides/testing/unit/
"""

import asyncio
import contextvars
import functools
import itertools
import json
import logging
import os
import runpy
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, get_args, get_origin

import grpc
import pulumi
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi import _types
from pulumi.runtime import mocks, rpc
from pulumi.runtime.proto import engine_pb2, resource_pb2
from pulumi.runtime.settings import SETTINGS, configure
from pulumi.runtime.stack import run_in_stack

Ask = Callable[[str, dict[str, Any]], dict[str, Any]]
"""Asks ("register", "read", "invoke", "outputs" or "log", what) and gets the answer; `{"error": text}` refuses it."""

_SEVERITIES = {
    engine_pb2.DEBUG: "debug",
    engine_pb2.INFO: "info",
    engine_pb2.WARNING: "warning",
    engine_pb2.ERROR: "error",
}

_NOT_KNOWN = "notknowninpreview"
"""Stands in each text that a plain look-up gives; what holds it is unknown."""
_WHOSE_ACCOUNT = (":getCallerIdentity", ":getAccountId")
"""Look-ups whose answer is asked for: by it a program names whom it lets in."""
_MANY = 3


class RefusedError(grpc.RpcError):
    """What the SDK takes for an engine that refuses a request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self._reason = reason

    def code(self) -> grpc.StatusCode:
        """The status."""
        return grpc.StatusCode.UNKNOWN

    def details(self) -> str:
        """Why it is refused."""
        return self._reason


class _Monitor(mocks.MockMonitor):
    """The SDK's mock monitor, with the wire's values as they are and with transforms run as an engine runs them."""

    def __init__(self, ask: Ask) -> None:
        super().__init__(None)  # type: ignore[arg-type] # the answers come from elsewhere
        self._ask_for = ask
        self._transforms: dict[str, tuple[Any, ...]] = {}  # by URN, those of the resource and of what is above it

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802, ANN401 - the SDK's
        transforms = (*request.transforms, *self._transforms.get(request.parent, ()))
        for callback in (*transforms, *self._stack_transforms):
            _transform(request, callback.token)
        said = self._ask(
            "register",
            {
                "type": request.type,
                "name": request.name,
                "custom": request.custom,
                "remote": request.remote,
                "inputs": _properties(request.object),
                "provider": request.provider,
                "parent": request.parent,
                "version": request.version,
                "protect": request.protect if request.HasField("protect") else None,
                "retainOnDelete": request.retainOnDelete if request.HasField("retainOnDelete") else None,
                "importId": request.importId,
                "dependencies": list(request.dependencies),
                "propertyDependencies": {key: list(one.urns) for key, one in request.propertyDependencies.items()},
                "secretOutputs": list(request.additionalSecretOutputs),
                "ignoreChanges": list(request.ignoreChanges),
            },
        )
        self._transforms[said["urn"]] = transforms
        return resource_pb2.RegisterResourceResponse(urn=said["urn"], id=said["id"], object=_struct(said["outputs"]))

    def ReadResource(self, request: Any) -> Any:  # noqa: N802, ANN401
        said = self._ask(
            "read",
            {
                "type": request.type,
                "name": request.name,
                "id": request.id,
                "inputs": _properties(request.properties),
                "provider": request.provider,
                "parent": request.parent,
                "version": request.version,
                "dependencies": list(request.dependencies),
            },
        )
        return resource_pb2.ReadResourceResponse(urn=said["urn"], id=said["id"], properties=_struct(said["outputs"]))

    def Invoke(self, request: Any) -> Any:  # noqa: N802, ANN401
        arguments = json_format.MessageToDict(request.args)
        if _properties(request.args) != arguments:
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        said = self._ask(
            "invoke",
            {"token": request.tok, "args": arguments, "provider": request.provider, "version": request.version},
        )
        if "result" not in said:
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        response = resource_pb2.ResourceInvokeResponse()
        getattr(response, "return").CopyFrom(_struct(said["result"]))  # a keyword of Python
        return response

    def Call(self, request: Any) -> Any:  # noqa: N802, ANN401
        raise RefusedError(f"the method {request.tok} of a component in another language needs the pulumi CLI")

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802, ANN401
        self._ask("outputs", {"urn": request.urn, "outputs": _properties(request.outputs)})
        return empty_pb2.Empty()

    def RegisterStackTransform(self, request: Any) -> Any:  # noqa: N802, ANN401
        self._stack_transforms.append(request)
        return empty_pb2.Empty()

    def RegisterStackInvokeTransform(self, request: Any) -> Any:  # noqa: N802, ANN401, ARG002
        raise RefusedError("a transform of function calls needs the pulumi CLI")

    def _ask(self, kind: str, what: dict[str, Any]) -> dict[str, Any]:
        said = self._ask_for(kind, what)
        if "error" in said:
            raise RefusedError(said["error"])
        return said


class _Engine(mocks.MockEngine):
    def __init__(self, ask: Ask) -> None:
        super().__init__(None)
        self._ask = ask

    def Log(self, request: Any) -> None:  # noqa: N802, ANN401
        self._ask("log", {"severity": _SEVERITIES[request.severity], "message": request.message, "urn": request.urn})


def run(  # noqa: PLR0913 - all but the program and its answers by name
    program: Callable[[], None],
    ask: Ask,
    *,
    project: str,
    stack: str,
    dry_run: bool,
    config: Mapping[str, str],
    secret_keys: tuple[str, ...] = (),
    organization: str = "organization",
) -> None:
    """Run a program once, in an event loop and a context of its own.

    Raises whatever the program raises.
    """
    named = {"project": project, "stack": stack, "dry_run": dry_run, "organization": organization}
    run_on(_Monitor(ask), _Engine(ask), program, config, secret_keys, **named)


def run_on(
    monitor: mocks.MockMonitor,
    engine: mocks.MockEngine,
    program: Callable[[], None],
    config: Mapping[str, str],
    secret_keys: tuple[str, ...] = (),
    **named: Any,  # noqa: ANN401 - what the SDK's settings take
) -> None:
    """The same on any monitor and engine of the SDK's kind."""

    def inside() -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        # A run that is refused leaves futures behind that nobody awaits, and asyncio would complain about each.
        logging.getLogger("asyncio").setLevel(logging.CRITICAL)
        features = set(monitor.GetDeploymentInfo(None).supportedFeatures)  # type: ignore[no-untyped-call]
        try:
            configure(
                mocks.MockSettings(  # type: ignore[no-untyped-call]
                    monitor=monitor, monitor_features=features, engine=engine, callbacks=None, **named
                )
            )
            pulumi.runtime.set_all_config(dict(config), list(secret_keys))
            loop.run_until_complete(run_in_stack(program))
            if _decided:
                raise _decided[0]
        finally:
            _decided.clear()
            # A program that was refused leaves tasks behind, and the SDK would await them in the next run.
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            SETTINGS.rpc_manager.clear()
            SETTINGS.outputs.clear()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()
            asyncio.set_event_loop(None)

    invoke = pulumi.runtime.invoke
    if named["dry_run"]:
        pulumi.runtime.invoke = functools.partial(_looked_up, invoke, set())
    try:
        contextvars.Context().run(inside)
    finally:
        pulumi.runtime.invoke = invoke


def _looked_up(
    invoke: Callable[..., Any], said: set[str], token: str, *args: object, typ: type | None = None, **named: object
) -> Any:  # noqa: ANN401 - the SDK's
    """What a plain look-up gives; where only AWS can tell, an object of its type whose texts are not known."""
    found = invoke(token, *args, typ=typ, **named)
    if found.value is None and typ is not None and not token.endswith(_WHOSE_ACCOUNT):
        name = token.rpartition(":")[2]
        if name not in said:
            said.add(name)
            pulumi.info(f"{name} is not asked: the texts that it gives are unknown, and its lists have {_MANY} items")
        found.value = _not_known(typ)
    return found


def _not_known(kind: Any, number: int = 0) -> Any:  # noqa: ANN401 - a type of the SDK
    """A value of a type; a number, and what is true or not, is such a text, too."""
    kind = _types.unwrap_type(kind)
    if _types.is_output_type(kind):
        types = _types.output_type_types(kind)
        return kind(**{name: _not_known(types[key]) for name, key, _ in _types._py_properties(kind)})
    origin = get_origin(kind)
    if origin is not None and issubclass(origin, Mapping):
        return _NotKnownByKey({_NotKnown(_NOT_KNOWN): _NotKnown(_NOT_KNOWN)})
    if origin is not None and issubclass(origin, Sequence):
        return _Several(_not_known(get_args(kind)[0], n) for n in range(_MANY))
    return _NotKnown(f"{_NOT_KNOWN}{number}") if kind in (str, int, float, bool) else None


_decided: list[ValueError] = []
"""What a run of a program decided by what is not known; a program may catch that, and go on."""


def _calculates(*_: object) -> Any:  # noqa: ANN401
    _decided.append(ValueError("the program decides or calculates with a value that is not known"))
    raise _decided[-1]


def _is_there(_: object) -> bool:
    """Whether it is empty or false is not known; only the SDK's check of types asks whether it is given at all."""
    asks = sys._getframe(1)
    if _types.is_output_type(type(asks.f_locals.get("__self__"))):
        return False
    return bool(_calculates())


class _NotKnown(str):
    """A text that can be passed on and put into others. What else is made of it would be as if it were known."""

    __slots__ = ()
    __hash__ = str.__hash__
    __bool__ = _is_there
    __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __contains__ = __getitem__ = __iter__ = __len__ = _calculates
    __int__ = __float__ = __index__ = _calculates
    encode = find = rfind = index = rindex = count = startswith = endswith = _calculates  # type: ignore[assignment]
    split = rsplit = splitlines = partition = rpartition = _calculates  # type: ignore[assignment]
    isdigit = isnumeric = isdecimal = isalpha = isalnum = islower = isupper = isspace = _calculates

    def _still_not_known(self, *_: object) -> str:
        return self

    __str__ = lower = upper = title = capitalize = casefold = strip = lstrip = rstrip = _still_not_known
    replace = removeprefix = removesuffix = _still_not_known

    def __add__(self, other: str) -> str:
        return _NotKnown(super().__add__(other))


class _NotKnownByKey(dict[str, str]):
    __bool__ = _is_there
    __eq__ = __ne__ = __contains__ = _calculates

    def __missing__(self, key: str) -> str:
        return _NotKnown(_NOT_KNOWN)

    def get(self, key: str, _default: object = None) -> str:
        return self[key]


class _Several(list[Any]):
    """Whether there is any is not known."""

    __bool__ = _is_there


def _properties(message: Any) -> Any:  # noqa: ANN401 - the SDK's message
    """Properties as JSON. A text with a part that is not known is not known, nor is an object with such a key."""

    def settled(value: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(value, list):
            return [settled(item) for item in value]
        texts = (*value,) if isinstance(value, dict) else (value,)
        if any(isinstance(one, str) and _NOT_KNOWN in one.lower() for one in texts):
            return rpc.UNKNOWN
        return {key: settled(item) for key, item in value.items()} if isinstance(value, dict) else value

    return settled(json_format.MessageToDict(message))


def _transform(request: Any, token: str) -> None:  # noqa: ANN401 - the SDK's message
    """Let the program's own transform change a registration, in the event loop that it belongs to."""
    from pulumi.runtime._callbacks import _CallbackServicer  # noqa: PLC0415 - the SDK imports it late as well

    servicer = next(one for one in _CallbackServicer._servicers if token in one._callbacks)
    asked = resource_pb2.TransformRequest(
        type=request.type,
        name=request.name,
        custom=request.custom,
        parent=request.parent,
        properties=request.object,
        options=resource_pb2.TransformResourceOptions(
            depends_on=request.dependencies,
            provider=request.provider,
            ignore_changes=request.ignoreChanges,
            **({"protect": request.protect} if request.HasField("protect") else {}),
        ),
    )
    coroutine = servicer._callbacks[token](asked.SerializeToString())
    changed: Any = asyncio.run_coroutine_threadsafe(coroutine, servicer._loop).result()  # type: ignore[arg-type]
    request.object.CopyFrom(changed.properties)
    request.provider = changed.options.provider or request.provider
    if changed.options.HasField("protect"):
        request.protect = changed.options.protect


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return json_format.ParseDict(dict(values), struct_pb2.Struct())


class _Pipe:
    """Questions out, answers in: a line of JSON each, matched by number."""

    def __init__(self, questions: int, answers: int) -> None:
        self._out = os.fdopen(questions, "w", encoding="utf-8")
        self._in = os.fdopen(answers, "r", encoding="utf-8")
        self._numbers = itertools.count()
        self._waiting: dict[int, Future[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def ask(self, kind: str, what: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question; called from any thread."""
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            self._out.write(json.dumps({"number": number, "kind": kind, "what": what}) + "\n")
            self._out.flush()
        return answer.result()

    def _listen(self) -> None:
        for line in self._in:
            said = json.loads(line)
            with self._lock:
                answer = self._waiting.pop(said["number"])
            answer.set_result(said["answer"])
        os._exit(1)  # whoever asked for this run is gone


def main(questions: int, answers: int) -> int:
    """Run the program that the first answer names, and say how it ended."""
    pipe = _Pipe(questions, answers)
    settings = pipe.ask("settings", {})
    program = settings.pop("program")
    folder = program if os.path.isdir(program) else os.path.dirname(program)
    sys.path[:] = [folder, *(one for one in sys.path if one)]
    sys.argv = [program]
    secret_keys = tuple(settings.pop("secretKeys"))
    try:
        run(lambda: _execute(program), pipe.ask, secret_keys=secret_keys, **settings)
    except pulumi.RunError as error:
        said = {key: getattr(error, key, None) for key in ("what", "where", "why", "next_step")}
        refusal = said if None not in said.values() else None
        pipe.ask("failed", {"reason": str(error), "where": program, "refusal": refusal})
        return 1
    except BaseException as error:
        pipe.ask("failed", {"reason": _message(error), "where": _own_line(error, folder) or program})
        return 1
    pipe.ask("done", {})
    return 0


def _execute(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _message(error: BaseException) -> str:
    text = "".join(traceback.format_exception_only(type(error), error)).strip()
    return text.removeprefix("Exception: ")


def _own_line(error: BaseException, folder: str) -> str | None:
    """`file:line` of the last of the program's own frames."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if one.filename != __file__]
    own = [one for one in frames if one.filename.startswith(folder) and "site-packages" not in one.filename]
    return f"{own[-1].filename}:{own[-1].lineno}" if own else None


if __name__ == "__main__":
    code = main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that wait for an answer must not keep the process
