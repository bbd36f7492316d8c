"""How many threads models run with where their owner lends fewer than the network planned for."""

from worker.enrolment import Enrolment


def within_threads(enrolment: Enrolment, most: int) -> Enrolment:
    """Return the enrolment with so many threads at most for all models together, but one for each model.

    Those that have most give first, so that a small model beside a large one keeps what it has.
    """
    threads = [deployment.threads or enrolment.threads for deployment in enrolment.deployments]
    while sum(threads) > max(most, len(threads)):
        threads[threads.index(max(threads))] -= 1
    deployments = [
        deployment.model_copy(update={"threads": count})
        for deployment, count in zip(enrolment.deployments, threads, strict=True)
    ]
    return enrolment.model_copy(update={"deployments": deployments})
