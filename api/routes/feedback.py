"""What answers rest on, and what users say of them."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api.feedback import append_feedback
from api.problems import ProblemError
from api.receipts import receipt_in, spoken_of
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import RECEIPT, Accepted, FeedbackBody
from api.service import JSON_ONLY, Asked
from rag.receipt import Receipt

router = APIRouter(tags=["feedback"])


@router.get(
    "/v1/receipts/{receipt}",
    response_model=Receipt,
    responses=problems("not_found", "invalid"),
    summary="Read what an answer rests on",
)
async def read_receipt(
    receipt: Annotated[str, Path(pattern=RECEIPT, description="As the answer carries it.")],
    service: Asked,
) -> Response:
    """Return the receipt of one of the last answers of this process; `rag replay` takes it."""
    return Reply(receipt_in(service.receipts.read(receipt)))


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
            append_feedback, service.settings.feedback, body.model_dump(), spoken_of(record)
        )
    except OSError:
        raise ProblemError("not_ready", "Feedback cannot be kept now.") from None
    return Reply({"receipt": body.receipt}, 201)
