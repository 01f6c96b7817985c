"""What users say of answers."""

from fastapi import APIRouter
from starlette.responses import Response

from api.feedback import append_feedback
from api.problems import ProblemError
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import Accepted, FeedbackBody
from api.service import JSON_ONLY, Asked

router = APIRouter(tags=["feedback"])


@router.post(
    "/v1/feedback",
    dependencies=[JSON_ONLY],
    status_code=201,
    response_model=Accepted,
    responses=problems("not_found", "conflict", "not_ready", body=True),
    summary="Say what an answer was worth",
)
async def give_feedback(body: FeedbackBody, service: Asked) -> Response:
    """Keep a thumb, a correction or a comment with the question and the answer that it is about."""
    if not (body.thumb or body.correction or body.comment):
        raise ProblemError("invalid", "Give a thumb, a correction or a comment.")
    record = service.receipts.take(body.receipt)
    try:
        await service.workers.wait(
            append_feedback, service.settings.feedback, body.model_dump(), record
        )
    except OSError:
        raise ProblemError("not_ready", "Feedback cannot be kept now.") from None
    return Reply({"receipt": body.receipt}, 201)
