"""Whether a checkpoint belongs to a job, so that going on gives what an unbroken run would."""

from __future__ import annotations

from nndsl.train.checkpoint import Checkpoint, check_fingerprints, fingerprints, mismatch
from nndsl.train.job import TrainingJob


def job_fingerprints(job: TrainingJob) -> dict[str, str]:
    """What the outcome of a job depends on, for its checkpoints. Threads are not among it."""
    settings = {
        "seed": job.seed,
        "batch": job.recipe.batch,
        "precision": job.recipe.precision,
        "length": f"{job.recipe.length.value:g} {job.recipe.length.unit}",
    }
    return fingerprints(job.train, job.validation, job.documents, settings)


def check_resumable(job: TrainingJob, checkpoint: Checkpoint) -> None:
    """Raise NN508 with what differs, or NN509 when the arrays are not those of the network."""
    name = str(job.folder.path) if job.folder is not None else "the run"
    check_fingerprints(checkpoint.fingerprints, job_fingerprints(job), name)
    for then, now in (
        (checkpoint.parameters, job.training.parameters()),
        (checkpoint.states, job.training.states()),
    ):
        if problem := mismatch(then, now, name):
            raise problem
