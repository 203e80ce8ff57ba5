"""The commands of those who operate a mesh: what they take."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.options import Broker, Json, end

dead_letters = typer.Typer(
    no_args_is_help=True, help="See what nobody could handle, and have it handled again."
)

topics = typer.Typer(no_args_is_help=True, help="Make the topics of a mesh.")

Ids = Annotated[
    list[str], typer.Argument(help="Their ids, or how these begin.", show_default=False)
]
Job = Annotated[str | None, typer.Option(help="Only those of this job.")]


@dead_letters.command("list")
def list_dead_letters(
    broker: Broker,
    job: Job = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also those that were replayed since they came.")
    ] = False,
    json: Json = False,
) -> None:
    """List dead letters, the newest last."""
    from services.cli import dead_letters as command

    end(lambda: command.listed(broker, job, everything=everything, as_json=json))


@dead_letters.command("show")
def show_dead_letters(ids: Ids, broker: Broker, json: Json = False) -> None:
    """Show dead letters whole: error, history, headers and body."""
    from services.cli import dead_letters as command

    end(lambda: command.show(ids, broker, as_json=json))


@dead_letters.command("replay")
def replay_dead_letters(
    broker: Broker,
    ids: Annotated[
        list[str], typer.Argument(help="Their ids, or how these begin.", show_default=False)
    ] = [],  # noqa: B006 -- typer copies it
    job: Job = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are listed.")] = False,
    json: Json = False,
) -> None:
    """Publish the original messages again.

    A job that ended without them is completed by them, for as long as the mesh keeps what that
    needs (VOXMESH_REPLAY_WITHIN_S).
    """
    from services.cli import dead_letters as command

    end(lambda: command.replay(ids, broker, job, everything=everything, as_json=json))


def cancel(
    job: Annotated[str, typer.Argument(help="Id of the job, as submit prints it.")],
    broker: Broker,
) -> None:
    """Call a job off."""
    from services.cli import cancel as command

    end(lambda: command.cancel(job, broker))


@topics.callback()
def _topics() -> None:
    """Keep `create` a command of its own, as the only one."""


@topics.command("create")
def create_topics(broker: Broker, json: Json = False) -> None:
    """Make the topics that are missing, with the partitions and retention of the settings.

    Services make the ones that they need themselves, if Kafka lets them.
    """
    from services.cli import brokers as command

    end(lambda: command.create_topics(broker, as_json=json))
