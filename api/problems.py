"""Errors as RFC 9457 problem details. What is inside, paths, keys, stacks, prompts, stays inside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.logs import kind_and_place, log
from rag import errors

MEDIA_TYPE = "application/problem+json"

CODES: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request cannot be read"),
    "unauthorized": (401, "A key is needed"),
    "forbidden": (403, "This is not allowed"),
    "not_found": (404, "There is no such thing"),
    "method_not_allowed": (405, "The method is not allowed here"),
    "slow_body": (408, "The request came in too slowly"),
    "conflict": (409, "This cannot be done as things stand"),
    "too_large": (413, "The request is too large"),
    "unsupported_type": (415, "The content type is not supported"),
    "wrong_host": (421, "The request is meant for another host"),
    "invalid": (422, "The request is not valid"),
    "rate_limited": (429, "Too many requests"),
    "busy": (429, "The service is busy"),
    "header_too_large": (431, "The request's headers are too large"),
    "internal": (500, "Something went wrong in the service"),
    "backend_failed": (502, "The backend failed"),
    "not_ready": (503, "The service is not ready"),
    "too_slow": (504, "The answer took too long"),
}
"""Every problem's code, with its status and title."""

_OPENAI = ("/v1/chat/", "/v1/models")
_BY_STATUS = {status: code for code, (status, _) in reversed(list(CODES.items()))}


@dataclass
class ProblemError(Exception):
    """Ends a request with a problem; `detail` is a sentence for whoever sent it."""

    code: str
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    errors: Sequence[Mapping[str, str]] | None = None

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return CODES[self.code][0]

    def body(self, request_id: str) -> dict[str, Any]:
        """Return the problem document."""
        status, title = CODES[self.code]
        value = {
            "type": f"/docs#problem-{self.code}",
            "title": title,
            "status": status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
        }
        return value if self.errors is None else {**value, "errors": list(self.errors)}

    def response(self, request: Request) -> Response:
        """Return the response that carries the problem; OpenAI's clients find theirs in it too."""
        value = self.body(request_id(request))
        if request.url.path.startswith(_OPENAI):
            value["error"] = openai_error(self)
        return JSONResponse(value, self.status, headers=dict(self.headers), media_type=MEDIA_TYPE)


def openai_error(problem: ProblemError) -> dict[str, Any]:
    """Return a problem in the form that OpenAI's clients know."""
    kind = "invalid_request_error" if problem.status < 500 else "server_error"
    return {"message": problem.detail, "type": kind, "param": None, "code": problem.code}


def problem_of(error: Exception) -> ProblemError:
    """Return what a request that ended with an error is told."""
    match error:
        case ProblemError():
            return error
        case RequestValidationError():
            return _invalid(error)
        case HTTPException():
            return _of_http(error)
        case errors.QuestionError() | errors.FilterError():
            return ProblemError("invalid", str(error))
        case errors.BackendTimeoutError():
            return ProblemError("too_slow", "The backend was silent for too long; try again later.")
        case errors.BackendUnreachableError():
            return ProblemError(
                "backend_failed", "The backend cannot be reached or broke off; try again later."
            )
        case errors.BackendError():
            return ProblemError("backend_failed", "The backend gave no usable answer.")
        case errors.IndexBusyError():
            return ProblemError("conflict", "The index is being built; try again in a moment.")
        case errors.SnapshotError() | errors.EncoderError():
            return ProblemError(
                "not_ready", "The index cannot be used now; its keeper has to see to it."
            )
        case errors.SeedsNotFoundError():
            return ProblemError(
                "conflict", "The seeds are not where RAG_SEEDS says; their keeper can mend it."
            )
        case errors.CorpusError():
            return ProblemError("conflict", "The documents cannot be indexed as they stand.")
        case errors.StoppedError():
            return ProblemError("too_slow", "The answer was given up.")
        case _:
            return ProblemError("internal", "This is our fault; the log has it under the request's id.")


def _invalid(error: RequestValidationError) -> ProblemError:
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return ProblemError("malformed", "The body is not valid JSON.")
    told = [
        {
            "field": ".".join(_printable(part) for part in each["loc"]),
            "message": _said(each),
        }
        for each in found[:20]
    ]
    first = told[0]
    return ProblemError("invalid", f"{first['field']}: {first['message']}.", errors=told)


def _said(found: Mapping[str, Any]) -> str:
    """Return what is wrong with a field; a pattern is nothing to show to people."""
    if found["type"] != "string_pattern_mismatch":
        return _printable(found["msg"])
    if found["loc"] == ("path", "doc"):
        return "An id is made of plain names joined by /, and ends in .md, .markdown, .txt or .text"
    if {"question", "content", "text", "correction", "comment"} & set(map(str, found["loc"])):
        return "It must hold something to read, and no control characters"
    return "It is not of the form that the API's reference gives"


def _of_http(error: HTTPException) -> ProblemError:
    code = _BY_STATUS.get(error.status_code, "malformed" if error.status_code < 500 else "internal")
    details = {
        "malformed": "The body cannot be read.",
        "not_found": "Nothing is found at this address.",
        "method_not_allowed": "Use one of the methods that the Allow header lists.",
        "unsupported_type": "Send the body as application/json.",
    }
    return ProblemError(code, details.get(code, CODES[code][1] + "."), dict(error.headers or {}))


def _printable(part: object) -> str:
    return str(part).encode("utf-8", "replace").decode()[:200]


def request_id(request: Request) -> str:
    """Return the id that the log knows a request by."""
    return str(request.scope.get("state", {}).get("request_id", "-"))


async def answer_problem(request: Request, error: Exception) -> Response:
    """Turn any error into its problem document (an exception handler); the log has what is ours."""
    problem = problem_of(error)
    if problem.status >= 500:
        log.warning("failed", extra={"request_id": request_id(request), **kind_and_place(error)})
    return problem.response(request)
