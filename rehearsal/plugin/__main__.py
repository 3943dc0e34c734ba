"""``python -m rehearsal.plugin``: MiniStack with what it lacks, until it gets SIGTERM."""

from rehearsal.plugin import (
    alarms,
    containers,
    database,
    domain,
    handlers,
    lattice,
    listener,
    ministack,
    model,
    network,
    questions,
    recorded,
    registry,
    rights,
    secrets,
    task_rights,
    tasks,
)


def main() -> None:
    """Serve."""
    for part in (
        handlers,
        recorded,
        network,
        secrets,
        lattice,
        database,
        domain,
        rights,
        registry,
        containers,
        tasks,
        model,
        listener,
        alarms,
        task_rights,
    ):
        part.install()
    app = ministack.module("app")
    app.app = questions.answering(app.app)
    app.main()


if __name__ == "__main__":
    main()
