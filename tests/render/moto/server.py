"""Moto, an AWS in memory, as the tests of the rendered Terraform need it: servers.py starts servers of it.

What moto lacks, or answers otherwise than AWS in a way that a plan would show, is put right here and not in what we render.
"""

import re
import threading
import uuid

from moto.awslambda.models import LambdaFunction
from moto.cloudfront.models import DefaultCacheBehaviour, Origin, ViewerCertificate
from moto.iam.access_control import PermissionResult
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import FakeBucket


def without_empty_image_config(describe):
    """AWS leaves `ImageConfigResponse` out for an image that is started as it is; moto always answers with an empty one."""

    def described(self, *arguments, **named):
        configuration = describe(self, *arguments, **named)
        if not any(self.image_config.response().values()):
            configuration.pop("ImageConfigResponse", None)
        return configuration

    return described


def with_logging_config(initialise, describe, update):
    """Moto forgets how a function's log is written."""

    def initialised(self, account_id, spec, *arguments, **named):
        initialise(self, account_id, spec, *arguments, **named)
        self.logging_config = spec.get("LoggingConfig")

    def described(self, *arguments, **named):
        configuration = describe(self, *arguments, **named)
        if self.logging_config:
            configuration["LoggingConfig"] = self.logging_config
        return configuration

    def updated(self, updates):
        self.logging_config = updates.get("LoggingConfig", self.logging_config)
        return update(self, updates)

    return initialised, described, updated


def with_a_reserve_of_nothing(describe):
    """Moto takes a reserve of 0, which stops a function, for none; a plan would then never take it back."""

    def described(self):
        answer = describe(self)
        if self.reserved_concurrency is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": self.reserved_concurrency}
        return answer

    return described


def without(*attributes, unless):
    """AWS leaves out what a distribution does not say; moto answers with an empty or a made-up one."""

    def wrap(initialise):
        def initialised(self, config):
            initialise(self, config)
            if not config.get(unless):
                for attribute in attributes:
                    setattr(self, attribute, None)

        return initialised

    return wrap


def with_access_control(initialise):
    """Moto forgets by which rule CloudFront signs what it asks of an origin."""

    def initialised(self, config):
        initialise(self, config)
        self.origin_access_control_id = config.get("OriginAccessControlId") or ""

    return initialised


LambdaFunction.__init__, LambdaFunction.get_configuration, LambdaFunction.update_configuration = with_logging_config(
    LambdaFunction.__init__, LambdaFunction.get_configuration, LambdaFunction.update_configuration
)
LambdaFunction.get_configuration = without_empty_image_config(LambdaFunction.get_configuration)
LambdaFunction.get_code = with_a_reserve_of_nothing(LambdaFunction.get_code)
DefaultCacheBehaviour.__init__ = without("forwarded_values", unless="ForwardedValues")(DefaultCacheBehaviour.__init__)
Origin.__init__ = with_access_control(Origin.__init__)
ViewerCertificate.__init__ = without("ssl_support_method", unless="SSLSupportMethod")(ViewerCertificate.__init__)
# Moto decides by a bucket's policy without reading its conditions: `RefusePlainHttp` would refuse everything.
FakeBucket.get_permission = lambda *_, **__: PermissionResult.NEUTRAL

# What most stacks ask, as moto calls it: loading all of it takes longer than most tests.
SERVICES = (
    "acm",
    "awslambda",
    "budgets",
    "cloudformation",
    "cloudfront",
    "cloudwatch",
    "dynamodb",
    "ecr",
    "iam",
    "kms",
    "logs",
    "route53",
    "s3",
    "sns",
    "sts",
    "wafv2",
)


class ResponseHeadersPolicies:
    """The one kind of CloudFront resource that moto does not know: kept as the XML that came, and given back."""

    PATH = re.compile(r"/2020-05-31/response-headers-policy(?:/([0-9a-f-]+))?(?:/config)?")

    def __init__(self, application):
        self.application = application
        self.policies = {}

    def __call__(self, environ, start_response):
        match = self.PATH.fullmatch(environ["PATH_INFO"])
        if not match:
            return self.application(environ, start_response)
        status, body = self.answer(environ["REQUEST_METHOD"], match[1], environ)
        start_response(status, [("Content-Type", "text/xml"), ("ETag", "1"), ("Content-Length", str(len(body)))])
        return [body]

    def answer(self, method, identifier, environ):
        """Returns status and body; the configuration is the root element of what the provider sends."""
        if method == "POST":
            identifier = str(uuid.uuid4())
            self.policies[identifier] = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        elif identifier not in self.policies:
            return "404 Not Found", b"<ErrorResponse><Error><Code>NoSuchResponseHeadersPolicy</Code></Error></ErrorResponse>"
        if method == "DELETE":
            del self.policies[identifier]
            return "204 No Content", b""
        head = f"<Id>{identifier}</Id><LastModifiedTime>2026-01-01T00:00:00Z</LastModifiedTime>".encode()
        policy = b"<ResponseHeadersPolicy>" + head + self.policies[identifier] + b"</ResponseHeadersPolicy>"
        return ("201 Created" if method == "POST" else "200 OK"), policy


class Once:
    """Does once what a client asks again because no answer came: a second stack or alias would be refused. Clients of AWS say which
    call it is, the same for each try."""

    def __init__(self, application):
        self.application = application
        self.lock = threading.Lock()
        self.calls = {}

    def __call__(self, environ, start_response):
        name = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        with self.lock:
            call = self.calls.setdefault(name, Call()) if name else Call()
        status, headers, body = call.answer(self.application, environ)
        start_response(status, headers)
        return [body]


class Call:
    """One call, and its answer once that is a good one: what was refused may be tried again."""

    def __init__(self):
        self.lock = threading.Lock()
        self.good = None

    def answer(self, application, environ):
        """Returns status, headers and body."""
        with self.lock:
            if self.good:
                return self.good
            head = []
            parts = application(environ, lambda status, headers, _=None: head.extend((status, headers)))
            body = b"".join(parts)
            if hasattr(parts, "close"):
                parts.close()
            status, headers = head
            if status.startswith("2"):
                self.good = (status, headers, body)
            return status, headers, body


def new_application():
    """Returns AWS with nothing in it, as a WSGI application; `SERVICES` are loaded, others come when they are asked for."""
    dispatcher = DomainDispatcherApplication(create_backend_app)
    for service in SERVICES:
        dispatcher.app_instances[service] = create_backend_app(service)
    return Once(ResponseHeadersPolicies(dispatcher))
