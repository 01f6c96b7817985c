"""The indexes: their state, and for an admin their builds."""

from fastapi import APIRouter
from starlette.responses import Response

from api.collections import Collection
from api.problems import ProblemError
from api.replies import Reply
from api.routes.documented import problems
from api.schemas import BuildBody, IndexState, Job
from api.service import JSON_ONLY, Asked, Kept, Written

router = APIRouter(tags=["index"])


@router.get("/v1/index", response_model=IndexState, responses=problems(), summary="What can be asked")
async def read_index(service: Asked) -> Response:
    """Return the collections, what each holds, and the backends that may be chosen."""
    return Reply(
        {
            "collections": [_state(each) for each in service.collections.values()],
            "backends": list(service.collections.backends),
            "read_only": service.settings.read_only,
        }
    )


@router.post(
    "/v1/index/build",
    dependencies=[JSON_ONLY],
    status_code=202,
    response_model=Job,
    responses=problems("not_found", body=True),
    summary="Bring an index up to date with its seeds",
)
async def build_index(body: BuildBody, service: Written) -> Response:
    """Begin a build and return its job at once; questions are answered meanwhile."""
    job = service.jobs.begin(service.collections.named(body.collection), body.fresh)
    return Reply(vars(job), 202, headers={"Location": f"/v1/jobs/{job.id}"})


@router.get(
    "/v1/jobs/{job}",
    response_model=Job,
    responses=problems("not_found", "forbidden", "invalid"),
    summary="How far a build is",
)
async def read_job(job: str, service: Kept) -> Response:
    """Return a job, with what it did once it is done."""
    found = service.jobs.find(job)
    if found is None:
        raise ProblemError("not_found", "There is no such job, or it was long ago.")
    return Reply(vars(found))


def _state(collection: Collection) -> dict[str, object]:
    snapshot = collection.snapshot if collection.ready else None
    manifest = snapshot.manifest if snapshot else None
    return {
        "name": collection.name,
        "ready": snapshot is not None,
        "trouble": collection.trouble,
        "generation": snapshot.generation if snapshot else None,
        "digest": manifest.digest if manifest else None,
        "built": manifest.time["built"] if manifest else None,
        "documents": snapshot.documents if snapshot else 0,
        "chunks": len(snapshot) if snapshot else 0,
        "languages": dict(manifest.languages) if manifest else {},
        "encoder": manifest.encoder["name"] if manifest else None,
    }
